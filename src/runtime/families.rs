//! What is remembered of tokens in the host's shared data, for all workers of the process: a table of fixed size, since
//! shared data can't be deleted. It is gone when the process is.

use super::{
    host::{Failure, Host, SharedValue},
    shared,
};
use crate::{
    endpoint::Answer,
    state::{Bucket, Place, StateAnswer, StateQuestion},
    time::UnixTime,
};

/// The table of families.
pub struct FamilyTable(());

/// 128 families in each: 7 MiB when all are full.
const BUCKETS: u64 = 2048;
impl FamilyTable {
    /// Opens the table, and makes it if there is none: the main thread's VM does so before any worker's VM starts. None if
    /// the host can't share data.
    pub fn open(host: &impl Host) -> Option<Self> {
        let SharedValue { version, .. } = host.shared_value(&name(BUCKETS - 1)).ok()?;
        if version.is_none() {
            (0..BUCKETS).try_for_each(|bucket| host.set_shared_value(&name(bucket), &[], None)).ok()?;
        }
        Some(Self(()))
    }

    /// Answers a question.
    pub fn answer(&self, question: &StateQuestion, host: &impl Host) -> Answer {
        match everywhere(question, host.now(), host) {
            Ok(answer) => Answer::State(answer),
            Err(failure) => {
                log::error!("the table of token families failed: {failure:?}");
                Answer::Unavailable { retry_after: 1 }
            }
        }
    }
}

/// The answer of all buckets that the question is about, or of the first that takes a token for no good.
fn everywhere(question: &StateQuestion, now: UnixTime, host: &impl Host) -> Result<StateAnswer, Failure> {
    let mut answer = StateAnswer::Looked(false);
    for place in Place::of(question) {
        answer = update(&name(place.bucket(BUCKETS)), question, now, host)?;
        if answer == StateAnswer::Looked(false) {
            break;
        }
    }
    Ok(answer)
}

/// Of two workers that claim the same token one is the second.
fn update(key: &str, question: &StateQuestion, now: UnixTime, host: &impl Host) -> Result<StateAnswer, Failure> {
    shared::update(key, host, |bytes| {
        let before = Bucket::from_bytes(bytes).map_err(|_| Failure::ParseFailure)?;
        let mut after = before.clone();
        let answer = after.answer(question, now);
        Ok(((after != before).then(|| after.to_bytes()), answer))
    })
}

/// The name holds the version of the layout: another build in the same process must not misread the table.
fn name(bucket: u64) -> String {
    format!("token-endpoint.families.1.{bucket}")
}
