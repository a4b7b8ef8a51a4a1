//! Time and chance as values, so that the core asks nobody for either and a test decides both.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Whole seconds since 1970-01-01T00:00:00Z: the `NumericDate` of RFC 7519 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// This time and `span` later, in whole seconds, never wrapping.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_secs()))
    }

    /// Reads seconds since 1970, or an RFC 3339 timestamp, from a JSON value. None if it is neither.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::from_rfc3339(text),
            Value::Number(number) => {
                let seconds = number.as_f64().filter(|seconds| (0.0..9e15).contains(seconds))?;
                Some(Self(seconds as u64))
            }
            _ => None,
        }
    }

    /// Reads an RFC 3339 timestamp; fractions of a second are dropped. None for one before 1970 too.
    pub(crate) fn from_rfc3339(text: &str) -> Option<Self> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        time.unix_timestamp().try_into().ok().map(Self)
    }

    /// Whole seconds from `earlier` to this time; zero if it is not earlier.
    pub(crate) fn seconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for UnixTime {
    /// As RFC 3339 has it; as seconds since 1970 where that has no words for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).ok();
        let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        match time.and_then(|time| time.format(&Rfc3339).ok()) {
            Some(text) => f.write_str(&text),
            None => write!(f, "{}", self.0),
        }
    }
}

impl From<SystemTime> for UnixTime {
    /// A clock that stands before 1970 reads as 1970.
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH);
        Self(since_epoch.unwrap_or_default().as_secs())
    }
}

/// Random bytes that can be spent once: taking some out consumes the rest.
pub struct Entropy([u8; 32]);

impl Entropy {
    /// Wraps bytes from a cryptographic source.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Spends the entropy on `N` bytes, `N` being 32 at most.
    pub(crate) fn spend<const N: usize>(self) -> [u8; N] {
        const { assert!(N <= 32) };
        let mut taken = [0; N];
        taken.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        taken
    }

    /// Makes two of one, for two uses that are to be independent.
    pub(crate) fn fork(self) -> (Self, Self) {
        let half = |number: u8| Self(Sha256::new_with_prefix(self.0).chain_update([number]).finalize().into());
        (half(0), half(1))
    }
}

/// When a step of an exchange happens, and the chance it may use.
pub struct Moment {
    /// The wall clock.
    pub now: UnixTime,
    /// Fresh randomness, for one use.
    pub entropy: Entropy,
}
