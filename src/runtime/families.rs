//! What is remembered of tokens in the host's shared data, for all workers of the process: a table of fixed size, since
//! shared data can't be deleted. It is gone when the process is.

use super::{
    host::{Host, HostError, SharedValue},
    shared,
};
use crate::{
    endpoint::Unavailable,
    state::{FamilyBucket, FamilyPlace, Question},
    time::UnixTime,
};

/// The table of families.
pub(super) struct FamilyTable(());

/// 128 families in each: 9 MiB when all are full.
const BUCKETS: u64 = 2048;
impl FamilyTable {
    /// Opens the table, and makes it if there is none: the main thread's VM does so before any worker's VM starts. None if
    /// the host can't share data.
    pub(super) fn open(host: &impl Host) -> Option<Self> {
        let SharedValue { version, .. } = host.shared_value(&name(BUCKETS - 1)).ok()?;
        if version.is_none() {
            (0..BUCKETS).try_for_each(|bucket| host.set_shared_value(&name(bucket), &[], None)).ok()?;
        }
        Some(Self(()))
    }

    /// Answers a question.
    pub(super) fn answer<Q: Question>(&self, question: &Q, host: &impl Host) -> Result<Q::Answer, Unavailable> {
        everywhere(question, host.now(), host).map_err(|failure| {
            log::error!("the table of token families failed: {failure:?}");
            Unavailable::SOON
        })
    }
}

/// The answer of the bucket that the question is about, or of another one that leaves it open to.
fn everywhere<Q: Question>(question: &Q, now: UnixTime, host: &impl Host) -> Result<Q::Answer, HostError> {
    let (first, second) = question.places();
    let answer = update(first, question, now, host)?;
    match second.filter(|_| Q::is_open(&answer)) {
        Some(second) => update(second, question, now, host),
        None => Ok(answer),
    }
}

/// Of two workers that claim the same token one is the second.
fn update<Q: Question>(
    place: FamilyPlace,
    question: &Q,
    now: UnixTime,
    host: &impl Host,
) -> Result<Q::Answer, HostError> {
    shared::update(&name(place.bucket(BUCKETS)), host, |bytes| {
        let before = FamilyBucket::from_bytes(bytes).map_err(|_| HostError::ParseFailure)?;
        let mut after = before.clone();
        let answer = question.ask(&mut after, now);
        Ok(((after != before).then(|| after.to_bytes()), answer))
    })
}

/// The name holds the version of the layout: another build in the same process must not misread the table.
fn name(bucket: u64) -> String {
    format!("token-endpoint.families.2.{bucket}")
}
