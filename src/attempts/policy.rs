//! Who has to wait, and what is counted of a guess: the one policy, whatever the table is kept in.

use super::{bucket::Bucket, key::Key, limit::Limit};
use crate::time::UnixTime;

/// A guess that is made, or was made.
///
/// While any of its subjects has to wait, nothing is counted, whatever is to be: of several guesses made at once, those that end
/// after the limit is reached learn nothing.
#[derive(Clone, Debug)]
pub struct Counting {
    /// What its failures are counted by.
    pub subjects: Vec<(Key, Limit)>,
    /// What is to be counted while nobody has to wait.
    pub change: Change,
}

/// What is to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing yet.
    Nothing,
    /// A failure of all subjects.
    Failure,
    /// A success, which makes the failures of this one forgotten.
    Success(Key),
}

/// What the table is kept in.
pub trait Store {
    /// Why it can't be asked.
    type Error;

    /// A bucket as it is now.
    ///
    /// # Errors
    /// It can't be asked.
    fn read(&self, bucket: u8) -> Result<Bucket, Self::Error>;

    /// Changes a bucket, so that nobody else's change is lost: `change` may be called again where another was quicker.
    ///
    /// # Errors
    /// It can't be asked.
    fn update<T>(&self, bucket: u8, change: impl Fn(&mut Bucket) -> T) -> Result<T, Self::Error>;
}

impl Counting {
    /// The seconds to wait; what is to be counted is counted if there are none.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn perform<S: Store>(&self, store: &S, now: UnixTime) -> Result<u64, S::Error> {
        match self.wait(store, now)? {
            0 => self.count(store, now),
            wait => Ok(wait),
        }
    }

    /// The buckets that it is about, each once and in order: subjects may share one.
    pub fn buckets(&self) -> Vec<u8> {
        let mut buckets: Vec<_> = self.subjects.iter().map(|(key, _)| key.bucket).collect();
        buckets.sort_unstable();
        buckets.dedup();
        buckets
    }

    fn wait<S: Store>(&self, store: &S, now: UnixTime) -> Result<u64, S::Error> {
        self.subjects.iter().try_fold(0, |longest, (key, limit)| {
            let wait = store.read(key.bucket)?.wait(key.tag, limit, now);
            Ok(wait.max(longest))
        })
    }

    /// Counts, and gives the wait that another's count has brought about meanwhile.
    fn count<S: Store>(&self, store: &S, now: UnixTime) -> Result<u64, S::Error> {
        match self.change {
            Change::Nothing => Ok(0),
            Change::Failure => self.subjects.iter().try_fold(0, |longest, (key, limit)| {
                let wait = store.update(key.bucket, |bucket| bucket.fail(key.tag, limit, now))?;
                Ok(wait.max(longest))
            }),
            Change::Success(key) => store.update(key.bucket, |bucket| bucket.succeed(key.tag)).map(|()| 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use super::*;
    use crate::attempts::MemoryStore;

    const LIMIT: Limit = Limit {
        failures: 2,
        wait: Duration::from_secs(10),
        max_wait: Duration::from_secs(100),
        forget: Duration::from_secs(1000),
    };
    const FIRST: Key = Key { bucket: 1, tag: 7 };
    const SECOND: Key = Key { bucket: 200, tag: 8 };

    fn perform(store: &impl Store<Error = std::convert::Infallible>, change: Change, now: u64) -> u64 {
        let Ok(wait) =
            Counting { subjects: vec![(FIRST, LIMIT), (SECOND, LIMIT)], change }.perform(store, UnixTime(now));
        wait
    }

    #[test]
    fn all_subjects_count_and_a_success_forgets_one() {
        let store = MemoryStore::default();
        assert_eq!(perform(&store, Change::Failure, 100), 0);
        assert_eq!(perform(&store, Change::Success(FIRST), 100), 0);
        assert_eq!(perform(&store, Change::Failure, 100), 0, "the second subject's failure that makes it wait");
        assert_eq!(perform(&store, Change::Nothing, 100), 10);
        let waits = [FIRST, SECOND].map(|key| store.read(key.bucket).unwrap().wait(key.tag, &LIMIT, UnixTime(100)));
        assert_eq!(waits, [0, 10]);
    }

    #[test]
    fn while_one_has_to_wait_nothing_is_counted() {
        let store = MemoryStore::default();
        for _ in 0..2 {
            perform(&store, Change::Failure, 100);
        }
        let before = store.clone().into_buckets();
        for change in [Change::Failure, Change::Success(FIRST), Change::Nothing] {
            assert_eq!(perform(&store, change, 105), 5);
        }
        assert_eq!(store.into_buckets(), before);
    }

    /// A store in which another guess is counted between the look and the count.
    struct Contended(MemoryStore, Cell<bool>);

    impl Store for Contended {
        type Error = std::convert::Infallible;

        fn read(&self, bucket: u8) -> Result<Bucket, Self::Error> {
            self.0.read(bucket)
        }

        fn update<T>(&self, bucket: u8, change: impl Fn(&mut Bucket) -> T) -> Result<T, Self::Error> {
            if !self.1.replace(true) {
                perform(&self.0, Change::Failure, 100);
            }
            self.0.update(bucket, change)
        }
    }

    #[test]
    fn who_fails_at_the_same_time_as_another_is_told_to_wait() {
        let store = Contended(MemoryStore::default(), Cell::new(true));
        perform(&store, Change::Failure, 100);
        store.1.set(false);
        assert_eq!(perform(&store, Change::Failure, 100), 10);
    }
}
