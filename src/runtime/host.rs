//! What the runtime needs of the proxy that it runs in, and no more: one trait, so that the whole program runs in any host,
//! and in a test. Lines for the log go through the crate `log`, whose logger is the host's.

use std::{
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use super::check_threads::CheckThreads;
use crate::{
    http::Response,
    outbound::Callout,
    schedule::ThreadSettings,
    time::{Entropy, Moment, UnixTime},
};

/// How often a change that another worker got in the way of is tried again.
const TRIES: u32 = 32;

/// The host of one worker. Calls are answered at once; what takes time comes back as an event of the worker's.
pub trait Host {
    /// The wall clock, which may jump.
    fn wall_clock(&self) -> SystemTime;

    /// A clock that never goes back.
    fn monotonic(&self) -> Instant;

    /// Bytes from a cryptographic source. None if there are none, without which nothing may be issued.
    fn entropy(&self) -> Option<[u8; 32]>;

    /// Answers the request of a stream, and leaves these names and values with it for the access log.
    ///
    /// # Errors
    /// The stream is gone.
    fn answer(&self, stream: u32, response: &Response, notes: &[(String, String)]) -> Result<(), HostError>;

    /// Begins a call, which is answered by [`Worker::on_call_answered`](super::Worker::on_call_answered) with the id that
    /// is given here, in no more than `timeout`.
    ///
    /// # Errors
    /// It could not begin, and is not answered.
    fn call(&self, callout: &Callout, timeout: Duration) -> Result<u32, HostError>;

    /// The headers of the answer at hand, names in lower case; none where there was no answer.
    fn answer_headers(&self) -> Vec<(String, Vec<u8>)>;

    /// At most `length` bytes of the body at hand, from `start` on; none behind its end.
    fn answer_body(&self, start: usize, length: usize) -> Vec<u8>;

    /// Asks for [`Worker::on_woken`](super::Worker::on_woken), soon, and however many streams go away.
    ///
    /// # Errors
    /// There is no way to.
    fn wake(&self) -> Result<(), HostError>;

    /// Whether the first worker of the process may be one that no request comes to, so that others had better read documents.
    fn begins_with_an_idle_worker(&self) -> bool {
        true
    }

    /// Whether other events come before [`Worker::on_woken`](super::Worker::on_woken), so that asking for it again and again keeps
    /// nobody waiting.
    fn wakes_in_turn(&self) -> bool {
        false
    }

    /// Threads that check passwords. None where a worker does so itself, in slices.
    fn check_threads(&self, _: &ThreadSettings) -> Option<Rc<dyn CheckThreads>> {
        None
    }

    /// Asks for [`Worker::on_tick`](super::Worker::on_tick) again and again, or no more where the period is zero.
    fn tick_every(&self, period: Duration);

    /// A value that all workers share.
    ///
    /// # Errors
    /// The host shares none.
    fn shared_value(&self, key: &str) -> Result<SharedValue, HostError>;

    /// Sets a value that all workers share: if it still has this version, or whatever it is where none is given.
    ///
    /// # Errors
    /// [`Failure::CasMismatch`] if it has another version by now.
    fn set_shared_value(&self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), HostError>;

    /// Changes a value that all workers share, so that no worker's change is lost. `change` says what it becomes, or None where it
    /// stays as it is, and may be asked more than once.
    ///
    /// # Errors
    /// That of `change`, or there is no such value, or other workers were always quicker.
    fn update_shared_value(&self, key: &str, change: &mut Change) -> Result<(), HostError> {
        for _ in 0..TRIES {
            let SharedValue { bytes, version } = self.shared_value(key)?;
            let Some(after) = change(&bytes)? else { return Ok(()) };
            // Without a version it would be written whatever another worker has written meanwhile.
            let version = Some(version.ok_or(HostError::NotFound)?);
            match self.set_shared_value(key, &after, version) {
                Err(HostError::CasMismatch) => {}
                outcome => return outcome,
            }
        }
        Err(HostError::CasMismatch)
    }

    /// An RSASSA-PKCS1-v1_5 signature with SHA-256 by a key in PKCS #8. None where the host makes none.
    fn sign(&self, private_key_der: &[u8], input: &[u8]) -> Option<Vec<u8>>;

    /// Whether a signature with SHA-256 is good, by a public key in SPKI: RSASSA-PKCS1-v1_5, or ECDSA in DER. None where the host
    /// checks none.
    fn verify(&self, public_key_der: &[u8], input: &[u8], signature: &[u8]) -> Option<bool>;

    /// A metric of this name, the same one whoever asks.
    fn define_metric(&self, kind: MetricKind, name: &str) -> u32;

    /// A counter of requests of this kind that ended so, the same one whoever asks.
    fn define_outcome(&self, request: &str, outcome: &str) -> u32 {
        self.define_metric(MetricKind::Counter, &format!("token_endpoint.{request}.{outcome}"))
    }

    /// Changes a counter or a gauge.
    fn add_to_metric(&self, metric: u32, change: i64);

    /// Sets a gauge, or adds a value to a histogram.
    fn record_metric(&self, metric: u32, value: u64);

    /// The wall clock in whole seconds.
    fn now(&self) -> UnixTime {
        self.wall_clock().into()
    }

    /// The wall clock in milliseconds since 1970.
    fn now_in_millis(&self) -> u64 {
        let since = self.wall_clock().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or_default()
    }

    /// The time that has gone by.
    fn since(&self, earlier: Instant) -> Duration {
        self.monotonic().saturating_duration_since(earlier)
    }

    /// The wall clock and fresh entropy. None if there is no entropy.
    fn moment(&self) -> Option<Moment> {
        let entropy = self.entropy()?;
        Some(Moment { now: self.now(), entropy: Entropy::new(entropy) })
    }

    /// Any number; the least where there is no entropy.
    fn chance(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.entropy().unwrap_or_default();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// A value that all workers share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedValue {
    /// The value; empty if there is none.
    pub bytes: Vec<u8>,
    /// What a compare-and-swap needs; None if there is no value.
    pub version: Option<u32>,
}

/// What a shared value becomes; None where it stays as it is.
pub type Change<'a> = dyn FnMut(&[u8]) -> Result<Option<Vec<u8>>, HostError> + 'a;

/// What a metric shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A number that only grows.
    Counter,
    /// A number as it is now.
    Gauge,
    /// How often there were which values.
    Histogram,
}

/// Why the host did not do what it was asked to, by the names that the log has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// There is no such thing.
    NotFound,
    /// It can't be asked for that.
    BadArgument,
    /// What is there can't be read.
    ParseFailure,
    /// Another worker has changed it.
    CasMismatch,
    /// Something went wrong in the host.
    InternalFailure,
}
