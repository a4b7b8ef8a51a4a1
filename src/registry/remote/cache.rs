//! Users that a directory has told of, kept for a short while and in a small number.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use crate::registry::{identifier::Identifier, user::Found};

/// How much a cache keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// The most identifiers that are kept.
    pub max_entries: usize,
    /// How old an answer may be.
    pub max_age: Duration,
}

/// What a directory said of identifiers, users and nobody alike. The oldest makes room for the newest. Ages are by a clock that
/// never goes back, so that no jump of the wall clock keeps a user who is locked by now.
#[derive(Debug, Default)]
pub struct Cache {
    answers: HashMap<Identifier, (Found, Instant)>,
    order: VecDeque<Identifier>,
}

impl Cache {
    /// What is known of `identifier`.
    pub(crate) fn get(&self, identifier: &Identifier, limits: &CacheLimits, now: Instant) -> Option<Found> {
        let (found, since) = self.answers.get(identifier)?;
        (now.saturating_duration_since(*since) < limits.max_age).then(|| found.clone())
    }

    /// Keeps what was said of `identifier`.
    pub(crate) fn put(&mut self, identifier: &Identifier, found: &Found, limits: &CacheLimits, now: Instant) {
        if self.answers.insert(identifier.clone(), (found.clone(), now)).is_none() {
            self.order.push_back(identifier.clone());
        }
        while self.order.len() > limits.max_entries {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.answers.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::identifier::IdentifierKind;

    const LIMITS: CacheLimits = CacheLimits { max_entries: 2, max_age: Duration::from_secs(10) };

    fn named(value: &str) -> Identifier {
        Identifier { kind: IdentifierKind::Username, value: value.to_owned() }
    }

    fn cache(names: &[&str], now: Instant) -> Cache {
        let mut cache = Cache::default();
        let nobody = Found::NotFound { decoy: None };
        names.iter().for_each(|name| cache.put(&named(name), &nobody, &LIMITS, now));
        cache
    }

    #[test]
    fn an_answer_is_kept_for_its_time() {
        let start = Instant::now();
        let cache = cache(&["a"], start);
        assert!(cache.get(&named("a"), &LIMITS, start + Duration::from_secs(9)).is_some());
        assert!(cache.get(&named("a"), &LIMITS, start + Duration::from_secs(10)).is_none());
        assert!(cache.get(&named("b"), &LIMITS, start).is_none());
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_oldest() {
        let start = Instant::now();
        let cache = cache(&["a", "b", "a", "c"], start);
        let known: Vec<bool> =
            ["a", "b", "c"].iter().map(|name| cache.get(&named(name), &LIMITS, start).is_some()).collect();
        assert_eq!(known, [false, true, true]);
        assert_eq!(cache.answers.len(), 2);
    }
}
