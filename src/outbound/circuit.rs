//! A circuit: an upstream that fails again and again is left alone for a while, so that asking it costs microseconds.

use std::time::Instant;

use super::CallLimits;

/// Whether an upstream may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// It may; so many calls in a row have failed.
    Closed(u32),
    /// Not before this time.
    Open(Instant),
    /// One call is trying it again; others may not, until this time.
    Probing(Instant),
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed(0)
    }
}

impl Circuit {
    /// Whether a call may be made now. Once the circuit has been open for its time, the first who asks is let through.
    pub(crate) fn lets_through(&mut self, limits: &CallLimits, now: Instant) -> bool {
        match *self {
            Self::Closed(_) => true,
            Self::Open(until) | Self::Probing(until) if now < until => false,
            Self::Open(_) | Self::Probing(_) => {
                *self = Self::Probing(now + limits.circuit_open);
                true
            }
        }
    }

    /// A call succeeded.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::Closed(0);
    }

    /// A call failed.
    pub(crate) fn failed(&mut self, limits: &CallLimits, now: Instant) {
        let failures = match *self {
            Self::Closed(failures) => failures.saturating_add(1),
            Self::Open(_) => return,
            Self::Probing(_) => u32::MAX,
        };
        let open = failures >= limits.circuit_failures;
        *self = if open { Self::Open(now + limits.circuit_open) } else { Self::Closed(failures) };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// So many seconds after a start that is the same for a test.
    fn seconds() -> impl Fn(u64) -> Instant {
        let start = Instant::now();
        move |seconds| start + Duration::from_secs(seconds)
    }

    fn limits() -> CallLimits {
        CallLimits {
            timeout: Duration::from_secs(1),
            max_response_bytes: 1,
            max_concurrent: 1,
            circuit_failures: 3,
            circuit_open: Duration::from_secs(10),
        }
    }

    fn failed(times: u32, now: Instant) -> Circuit {
        let mut circuit = Circuit::default();
        (0..times).for_each(|_| circuit.failed(&limits(), now));
        circuit
    }

    #[test]
    fn it_opens_after_failures_in_a_row() {
        let at = seconds();
        assert!(failed(2, at(100)).lets_through(&limits(), at(100)));
        assert!(!failed(3, at(100)).lets_through(&limits(), at(109)));
        let mut circuit = failed(2, at(100));
        circuit.succeeded();
        circuit.failed(&limits(), at(100));
        assert_eq!(circuit, Circuit::Closed(1));
    }

    #[test]
    fn one_call_tries_again_after_its_time_and_its_success_closes_it() {
        let at = seconds();
        let mut circuit = failed(3, at(100));
        assert!(circuit.lets_through(&limits(), at(110)));
        assert!(!circuit.lets_through(&limits(), at(110)));
        circuit.succeeded();
        assert!(circuit.lets_through(&limits(), at(110)));
    }

    #[test]
    fn the_failure_of_that_call_opens_it_again() {
        let at = seconds();
        let mut circuit = failed(3, at(100));
        assert!(circuit.lets_through(&limits(), at(110)));
        circuit.failed(&limits(), at(111));
        assert!(!circuit.lets_through(&limits(), at(120)));
        assert!(circuit.lets_through(&limits(), at(121)));
    }

    #[test]
    fn late_failures_of_calls_that_were_under_way_do_not_prolong_it() {
        let at = seconds();
        let mut circuit = failed(3, at(100));
        circuit.failed(&limits(), at(109));
        assert!(circuit.lets_through(&limits(), at(110)));
    }
}
