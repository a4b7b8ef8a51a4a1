//! How much work a call may do, so that every family is paced in the same unit.

/// An amount of work. One unit is about one Argon2 block of 1 KiB: a little under 1 µs in Envoy's VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Budget(pub u64);

impl Budget {
    /// More than any check needs: do it all at once.
    pub(crate) const UNLIMITED: Self = Self(u64::MAX);
}

/// What is left of a budget while it is being spent.
pub(super) struct Meter {
    left: u64,
    untouched: bool,
}

impl Meter {
    pub(super) fn new(budget: Budget) -> Self {
        Self { left: budget.0, untouched: true }
    }

    /// Takes `units` if they are left. The first step is always allowed, or a small budget would never get anywhere.
    #[inline]
    pub(super) fn allows(&mut self, units: u64) -> bool {
        let allowed = self.untouched || units <= self.left;
        self.untouched = false;
        if allowed {
            self.left = self.left.saturating_sub(units);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_always_allowed() {
        let mut meter = Meter::new(Budget(0));
        assert!(meter.allows(30));
        assert!(!meter.allows(1));
    }

    #[test]
    fn steps_are_allowed_until_the_units_are_spent() {
        let mut meter = Meter::new(Budget(5));
        assert!(meter.allows(3));
        assert!(!meter.allows(3));
        assert!(meter.allows(2));
        assert!(!meter.allows(1));
    }
}
