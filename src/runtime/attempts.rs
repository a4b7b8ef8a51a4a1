//! The attempt limits' tables in values that all workers share, one for all workers of the process. Shared values can't be
//! deleted and have no insert-if-absent, so every key is made before the first request, and none after.

use super::{
    host::{Failure, Host, SharedValue},
    shared,
};
use crate::{
    attempts::{AttemptQuestion, BUCKETS, FRIEND_BUCKETS, InvalidBucket, Limits, Place, Store, TableKey},
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
    type Error = Failure;

    fn read(&self, place: Place) -> Result<Vec<u8>, Failure> {
        Ok(self.0.shared_value(&name(place))?.bytes)
    }

    fn update<T>(
        &self,
        place: Place,
        change: impl Fn(&[u8]) -> Result<(Option<Vec<u8>>, T), InvalidBucket>,
    ) -> Result<T, Failure> {
        shared::update(&name(place), self.0, |bytes| Ok(change(bytes)?))
    }
}

impl From<InvalidBucket> for Failure {
    fn from(InvalidBucket: InvalidBucket) -> Self {
        Self::ParseFailure
    }
}

/// Makes the tables, and their key last, which tells that they are whole.
fn create(host: &impl Host) -> Option<[u8; 32]> {
    let failures = (0..BUCKETS).map(Place::Attempts);
    let places = failures.chain((0..BUCKETS).map(Place::Flights)).chain((0..FRIEND_BUCKETS).map(Place::Friends));
    for place in places {
        host.set_shared_value(&name(place), &[], None).ok()?;
    }
    let key = host.entropy()?;
    host.set_shared_value(KEY_NAME, &key, None).ok()?;
    Some(key)
}

fn name(place: Place) -> String {
    match place {
        Place::Attempts(bucket) => format!("token-endpoint.attempts.2.{bucket}"),
        Place::Flights(bucket) => format!("token-endpoint.flights.1.{bucket}"),
        Place::Friends(bucket) => format!("token-endpoint.friends.1.{bucket}"),
    }
}
