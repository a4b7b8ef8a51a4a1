//! Signing keys over time: which one signs, which ones verify, and until when that holds.

use std::{sync::Arc, time::Duration};

use super::{
    jws::{Algorithm, SigningKey, jwk_set},
    key_schedule::{KeySchedule, Period},
};
use crate::time::UnixTime;

/// Signing keys, exactly one of which signs at any moment if their timetable has no flaw.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<Arc<SigningKey>>,
    timetable: KeySchedule,
    longest_token: Duration,
}

/// What a key is for at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is published and will sign.
    Next {
        /// When it begins to.
        from: UnixTime,
    },
    /// It signs.
    Active {
        /// When another key takes over, if that is planned.
        until: Option<UnixTime>,
    },
    /// It is published for the tokens that it signed.
    Retired {
        /// When the last of them has expired. None for a key without an end, which is published for good.
        until: Option<UnixTime>,
    },
    /// It is not published any more.
    Gone,
}

impl KeyRing {
    /// A ring of keys, whose tokens expire after `longest_token` at the latest.
    pub(crate) fn new(keys: Vec<(SigningKey, Period)>, longest_token: Duration) -> Self {
        let (keys, periods) = keys.into_iter().map(|(key, period)| (Arc::new(key), period)).unzip();
        Self { keys, timetable: KeySchedule::new(periods), longest_token }
    }

    /// The key that signs.
    pub fn active(&self, now: UnixTime) -> Option<&Arc<SigningKey>> {
        self.timetable.active_key(now).and_then(|at| self.keys.get(at))
    }

    /// The keys that verify: those that sign later too, so that who keeps a copy knows them in time, and those that no
    /// longer sign until the last token has expired.
    pub fn published(&self, now: UnixTime) -> impl Iterator<Item = &Arc<SigningKey>> {
        let keys = self.keys.iter().zip(self.timetable.periods());
        keys.filter(move |(_, period)| self.gone_at(**period).is_none_or(|gone| now < gone)).map(|(key, _)| key)
    }

    /// The published key with this `kid`.
    pub fn published_key(&self, kid: &str, now: UnixTime) -> Option<&Arc<SigningKey>> {
        self.published(now).find(|key| key.kid() == kid)
    }

    /// The published keys as a JWK Set (RFC 7517 §5).
    pub fn jwks(&self, now: UnixTime) -> String {
        jwk_set(self.published(now).map(|key| &**key))
    }

    /// What is signed with, now or later; what was signed with, as long as its keys verify.
    pub(crate) fn algorithms(&self, now: UnixTime) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        for algorithm in self.published(now).map(|key| key.algorithm()) {
            if !algorithms.contains(&algorithm) {
                algorithms.push(algorithm);
            }
        }
        algorithms
    }

    /// When a key next begins to sign, ceases to, or goes.
    pub fn next_change(&self, now: UnixTime) -> Option<UnixTime> {
        let goings = self.timetable.periods().iter().filter_map(|period| self.gone_at(*period));
        self.timetable.moments().into_iter().chain(goings).filter(|moment| *moment > now).min()
    }

    /// All keys, with what they are for.
    pub fn states(&self, now: UnixTime) -> impl Iterator<Item = (&SigningKey, KeyState)> {
        let keys = self.keys.iter().zip(self.timetable.periods()).enumerate();
        keys.map(move |(at, (key, period))| (&**key, self.state(at, *period, now)))
    }

    fn state(&self, at: usize, period: Period, now: UnixTime) -> KeyState {
        if self.timetable.active_key(now) == Some(at) {
            return KeyState::Active { until: self.timetable.next_moment(now, |turn| turn != Some(at)) };
        }
        match (self.timetable.next_moment(now, |turn| turn == Some(at)), self.gone_at(period)) {
            (Some(from), _) => KeyState::Next { from },
            (None, Some(gone)) if gone <= now => KeyState::Gone,
            (None, until) => KeyState::Retired { until },
        }
    }

    fn gone_at(&self, period: Period) -> Option<UnixTime> {
        period.not_after.map(|end| end.after(self.longest_token))
    }
}
