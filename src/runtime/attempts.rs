//! The attempt limits' tables in values that all workers share, one for all workers of the process. Shared values can't be
//! deleted and have no insert-if-absent, so every key is made before the first request, and none after.

use super::{
    host::{Host, HostError, SharedValue},
    shared,
};
use crate::{
    attempts::{AttemptQuestion, BUCKETS, BucketKey, FRIEND_BUCKETS, InvalidBucket, Limits, Store, TableKey},
    endpoint::{Unavailable, attempt::Counters},
};

/// Counts failures, and says who has to wait.
pub(super) struct AttemptTable {
    key: TableKey,
    limits: Limits,
}

/// The buckets, as all workers share them.
struct Buckets<'a, H>(&'a H);

/// The names hold the version of the layout: another build in the same process must not misread the tables.
const KEY_NAME: &str = "token-endpoint.attempts.2.key";

impl AttemptTable {
    /// Opens the tables, and makes them if there are none: the main thread's VM does so before any worker's VM starts.
    pub(super) fn open(limits: Limits, host: &impl Host) -> Option<Self> {
        let key = match host.shared_value(KEY_NAME) {
            Ok(SharedValue { bytes, .. }) if !bytes.is_empty() => bytes.try_into().ok()?,
            _ => create(host)?,
        };
        Some(Self { key: TableKey::new(key), limits })
    }

    /// The answer to a question.
    pub(super) fn answer<Q: AttemptQuestion>(
        &self,
        question: impl Fn(Counters) -> Q,
        host: &impl Host,
    ) -> Result<Q::Answer, Unavailable> {
        let question = question(Counters { key: &self.key, limits: &self.limits });
        question.ask(&Buckets(host), host.now()).map_err(|failure| {
            log::error!("the attempt limits' table failed: {failure:?}");
            Unavailable::SOON
        })
    }
}

impl<H: Host> Store for Buckets<'_, H> {
    type Error = HostError;

    fn read(&self, place: BucketKey) -> Result<Vec<u8>, HostError> {
        Ok(self.0.shared_value(&name(place))?.bytes)
    }

    fn update<T>(
        &self,
        place: BucketKey,
        change: impl Fn(&[u8]) -> Result<(Option<Vec<u8>>, T), InvalidBucket>,
    ) -> Result<T, HostError> {
        shared::update(&name(place), self.0, |bytes| Ok(change(bytes)?))
    }
}

impl From<InvalidBucket> for HostError {
    fn from(InvalidBucket: InvalidBucket) -> Self {
        Self::ParseFailure
    }
}

/// Makes the tables, and their key last, which tells that they are whole.
fn create(host: &impl Host) -> Option<[u8; 32]> {
    let failures = (0..BUCKETS).map(BucketKey::Attempts);
    let places =
        failures.chain((0..BUCKETS).map(BucketKey::Flights)).chain((0..FRIEND_BUCKETS).map(BucketKey::Friends));
    for place in places {
        host.set_shared_value(&name(place), &[], None).ok()?;
    }
    let key = host.entropy()?;
    host.set_shared_value(KEY_NAME, &key, None).ok()?;
    Some(key)
}

fn name(place: BucketKey) -> String {
    match place {
        BucketKey::Attempts(bucket) => format!("token-endpoint.attempts.2.{bucket}"),
        BucketKey::Flights(bucket) => format!("token-endpoint.flights.1.{bucket}"),
        BucketKey::Friends(bucket) => format!("token-endpoint.friends.1.{bucket}"),
    }
}
