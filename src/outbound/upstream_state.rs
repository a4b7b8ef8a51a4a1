//! What one worker knows of an upstream: whether it may be called, and what was said of its faults.

use std::time::{Duration, Instant};

use super::{CallLimits, Circuit, Fault};

/// The state of an upstream.
#[derive(Debug, Default)]
pub struct UpstreamState {
    circuit: Circuit,
    under_way: usize,
    told: Vec<(Fault, Instant)>,
}

/// For how long a fault is not told again.
const SILENCE: Duration = Duration::from_secs(60);
/// The most faults that are told in that time.
const MOST_TOLD: usize = 16;

impl UpstreamState {
    /// Counts a call in, if it may be made: beside fewer than `most` others.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn admit(&mut self, limits: &CallLimits, most: usize, now: Instant) -> Result<(), Fault> {
        if self.under_way >= most {
            return Err(Fault::Busy);
        }
        if !self.circuit.lets_through(limits, now) {
            return Err(Fault::Open);
        }
        self.under_way += 1;
        Ok(())
    }

    /// Counts a call out.
    pub(crate) fn leave(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// It has answered.
    pub(crate) fn succeeded(&mut self) {
        self.circuit.succeeded();
    }

    /// A call failed. An upstream that answers is not down because of what one caller asked for.
    pub(crate) fn failed(&mut self, fault: &Fault, limits: Option<&CallLimits>, now: Instant) {
        match limits {
            Some(limits) if fault.counts_for_circuit() => self.circuit.failed(limits, now),
            _ => self.circuit.succeeded(),
        }
    }

    /// Whether a fault is to be told: not again and again, however callers and faults alternate.
    pub(crate) fn is_news(&mut self, fault: &Fault, now: Instant) -> bool {
        self.told.retain(|(_, since)| now < *since + SILENCE);
        let is_new = self.told.iter().all(|(told, _)| told != fault) && self.told.len() < MOST_TOLD;
        if is_new {
            self.told.push((fault.clone(), now));
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    const LIMITS: CallLimits = CallLimits {
        timeout: Duration::from_secs(1),
        max_response_bytes: 1,
        max_concurrent: 1,
        circuit_failures: 1,
        circuit_open: Duration::from_secs(10),
    };

    #[test]
    fn one_call_more_than_allowed_is_not_made() {
        let (mut state, now) = (UpstreamState::default(), Instant::now());
        assert_eq!(state.admit(&LIMITS, 1, now), Ok(()));
        assert_eq!(state.admit(&LIMITS, 1, now), Err(Fault::Busy));
        state.leave();
        assert_eq!(state.admit(&LIMITS, 1, now), Ok(()));
    }

    #[test]
    fn a_fault_of_its_own_opens_the_circuit_and_one_of_a_request_does_not() {
        let (mut state, now) = (UpstreamState::default(), Instant::now());
        state.failed(&Fault::Status(404), Some(&LIMITS), now);
        assert_eq!(state.admit(&LIMITS, 1, now), Ok(()));
        state.leave();
        state.failed(&Fault::NoAnswer, Some(&LIMITS), now);
        assert_eq!(state.admit(&LIMITS, 1, now), Err(Fault::Open));
    }

    #[test]
    fn a_fault_is_told_once_a_minute_and_few_others_beside_it() {
        let (mut state, start) = (UpstreamState::default(), Instant::now());
        assert!(state.is_news(&Fault::NoAnswer, at(start, 100)));
        assert!(!state.is_news(&Fault::NoAnswer, at(start, 159)));
        assert!(state.is_news(&Fault::NoAnswer, at(start, 160)));
        let told = (0..100).filter(|status| state.is_news(&Fault::Status(*status), at(start, 160)));
        assert_eq!(told.count(), MOST_TOLD - 1);
    }
}
