//! Users that a directory has told of, kept for a short while and in a small number.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::{
    registry::{identifier::Identifier, user::Found},
    time::UnixTime,
};

/// How much a cache keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// The most identifiers that are kept.
    pub max_entries: usize,
    /// How old an answer may be.
    pub max_age: Duration,
}

/// What a directory said of identifiers, users and nobody alike. The oldest makes room for the newest.
#[derive(Debug, Default)]
pub struct Cache {
    answers: HashMap<Identifier, (Found, UnixTime)>,
    order: VecDeque<Identifier>,
}

impl Cache {
    /// What is known of `identifier`. What was learned at a later time than now was learned before the clock was put back, and
    /// nobody knows how old it is.
    pub fn get(&self, identifier: &Identifier, limits: &CacheLimits, now: UnixTime) -> Option<Found> {
        let (found, since) = self.answers.get(identifier)?;
        (*since <= now && now < since.after(limits.max_age)).then(|| found.clone())
    }

    /// Keeps what was said of `identifier`.
    pub fn put(&mut self, identifier: &Identifier, found: &Found, limits: &CacheLimits, now: UnixTime) {
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

    fn cache(names: &[&str]) -> Cache {
        let mut cache = Cache::default();
        let nobody = Found::NotFound { decoy: None };
        names.iter().for_each(|name| cache.put(&named(name), &nobody, &LIMITS, UnixTime(100)));
        cache
    }

    #[test]
    fn an_answer_is_kept_for_its_time() {
        let cache = cache(&["a"]);
        assert!(cache.get(&named("a"), &LIMITS, UnixTime(109)).is_some());
        assert!(cache.get(&named("a"), &LIMITS, UnixTime(110)).is_none());
        assert!(cache.get(&named("b"), &LIMITS, UnixTime(100)).is_none());
    }

    #[test]
    fn an_answer_does_not_last_longer_where_the_clock_is_put_back() {
        let cache = cache(&["a"]);
        assert!(cache.get(&named("a"), &LIMITS, UnixTime(99)).is_none());
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_oldest() {
        let cache = cache(&["a", "b", "a", "c"]);
        let known: Vec<bool> =
            ["a", "b", "c"].iter().map(|name| cache.get(&named(name), &LIMITS, UnixTime(100)).is_some()).collect();
        assert_eq!(known, [false, true, true]);
        assert_eq!(cache.answers.len(), 2);
    }
}
