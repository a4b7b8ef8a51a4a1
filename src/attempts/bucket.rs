//! A bucket of the table: a fixed number of entries in a fixed number of bytes, in which a newcomer takes the place of
//! whoever has the least to lose. A flood of names that each fail once pushes out others like it, and never one that
//! failed often.

use super::{
    limit::Limit,
    store::{InvalidBucket, TableBucket},
};
use crate::time::UnixTime;

/// Entries in a bucket.
const ENTRIES: usize = 64;
/// After this many seconds an entry is worth nothing, whatever it counted.
const STALE: u64 = 86_400;
/// Tag, seconds, failures.
const ENTRY_BYTES: usize = 8 + 8 + 4;

/// Some entries of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountBucket([CountEntry; ENTRIES]);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CountEntry {
    tag: u64,
    last: u64,
    failures: u32,
}

impl Default for CountBucket {
    fn default() -> Self {
        Self([CountEntry::default(); ENTRIES])
    }
}

impl CountBucket {
    /// How many seconds the next attempt has to wait; zero if it may go on.
    pub(super) fn wait(&self, tag: u64, limit: &Limit, now: UnixTime) -> u64 {
        self.get(tag).map_or(0, |entry| limit.wait(entry.remembered(limit, now), UnixTime(entry.last), now))
    }

    /// Counts a failure.
    ///
    /// # Errors
    /// The seconds to wait. A failure that comes while there is a wait is not counted, so that it can't prolong it.
    pub(super) fn fail(&mut self, tag: u64, limit: &Limit, now: UnixTime) -> Result<(), u64> {
        let wait = self.wait(tag, limit, now);
        if wait > 0 {
            return Err(wait);
        }
        let failures = self.get(tag).map_or(0, |entry| entry.remembered(limit, now)).saturating_add(1);
        if let Some(place) = self.place(tag, now) {
            *place = CountEntry { tag, last: now.0, failures };
        }
        Ok(())
    }

    /// Counts failures of which nobody heard when they were made, at this time.
    pub(super) fn fail_late(&mut self, tag: u64, times: u16, limit: &Limit, then: UnixTime) {
        let before = self.get(tag).unwrap_or_default();
        let last = before.last.max(then.0);
        let failures = before.remembered(limit, UnixTime(last)).saturating_add(times.into());
        if let Some(place) = self.place(tag, UnixTime(last)) {
            *place = CountEntry { tag, last, failures };
        }
    }

    fn get(&self, tag: u64) -> Option<CountEntry> {
        self.0.iter().find(|entry| entry.tag == tag).copied()
    }

    /// The entry of this tag; otherwise one that is free or stale, or has failed least.
    fn place(&mut self, tag: u64, now: UnixTime) -> Option<&mut CountEntry> {
        let loss = |entry: &CountEntry| {
            let stale = now.seconds_since(UnixTime(entry.last)) >= STALE;
            (entry.tag != tag, !stale, entry.failures, entry.last)
        };
        self.0.iter_mut().min_by_key(|entry| loss(entry))
    }
}

impl TableBucket for CountBucket {
    /// Always the same number of bytes.
    fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|entry| entry.to_bytes()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidBucket> {
        let mut bucket = Self::default();
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        if bytes.is_empty() {
            return Ok(bucket);
        }
        if entries.len() != ENTRIES || !rest.is_empty() {
            return Err(InvalidBucket);
        }
        bucket.0.iter_mut().zip(entries).for_each(|(entry, bytes)| *entry = CountEntry::from_bytes(bytes));
        Ok(bucket)
    }
}

impl CountEntry {
    fn remembered(&self, limit: &Limit, now: UnixTime) -> u32 {
        limit.remember(self.failures, UnixTime(self.last), now)
    }

    fn to_bytes(self) -> impl Iterator<Item = u8> {
        let tag = self.tag.to_le_bytes().into_iter();
        tag.chain(self.last.to_le_bytes()).chain(self.failures.to_le_bytes())
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let number = |from: usize, length: usize| {
            let bytes = bytes.iter().skip(from).take(length).rev();
            bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        Self { tag: number(0, 8), last: number(8, 8), failures: number(16, 4) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMIT: Limit = Limit {
        failures: 2,
        wait: Duration::from_secs(10),
        max_wait: Duration::from_secs(100),
        forget: Duration::from_secs(1000),
    };

    fn fail(bucket: &mut CountBucket, tag: u64, times: &[u64]) {
        for now in times {
            let _ = bucket.fail(tag, &LIMIT, UnixTime(*now));
        }
    }

    #[test]
    fn failures_add_up_to_a_wait() {
        let mut bucket = CountBucket::default();
        fail(&mut bucket, 1, &[100]);
        assert_eq!(bucket.wait(1, &LIMIT, UnixTime(100)), 0);
        fail(&mut bucket, 1, &[101]);
        assert_eq!(bucket.wait(1, &LIMIT, UnixTime(101)), 10);
        assert_eq!(bucket.wait(2, &LIMIT, UnixTime(101)), 0);
    }

    #[test]
    fn attempts_during_a_wait_do_not_prolong_it() {
        let mut bucket = CountBucket::default();
        fail(&mut bucket, 1, &[100, 100, 105, 109]);
        assert_eq!(bucket.wait(1, &LIMIT, UnixTime(109)), 1);
        fail(&mut bucket, 1, &[110]);
        assert_eq!(bucket.wait(1, &LIMIT, UnixTime(110)), 20);
    }

    #[test]
    fn failures_that_are_heard_of_late_count_from_when_they_were_made() {
        let mut bucket = CountBucket::default();
        bucket.fail_late(1, 2, &LIMIT, UnixTime(100));
        assert_eq!([105, 110].map(|now| bucket.wait(1, &LIMIT, UnixTime(now))), [5, 0]);
        fail(&mut bucket, 1, &[120]);
        bucket.fail_late(1, 1, &LIMIT, UnixTime(110));
        assert_eq!(bucket.wait(1, &LIMIT, UnixTime(120)), 40, "no earlier than those that are known");
    }

    #[test]
    fn a_long_silence_forgets_everything() {
        let mut bucket = CountBucket::default();
        fail(&mut bucket, 2, &[100, 100, 1100]);
        assert_eq!(bucket.wait(2, &LIMIT, UnixTime(1100)), 0);
    }

    #[test]
    fn a_flood_of_names_does_not_push_out_one_that_failed_often() {
        let mut bucket = CountBucket::default();
        fail(&mut bucket, 1, &[100, 100]);
        for tag in 2..10_000 {
            fail(&mut bucket, tag, &[101]);
        }
        assert_eq!(bucket.wait(1, &LIMIT, UnixTime(101)), 9);
    }

    #[test]
    fn a_bucket_has_the_same_size_however_much_is_in_it_and_survives_as_bytes() {
        let mut bucket = CountBucket::default();
        let empty = bucket.to_bytes().len();
        for tag in 1..1000 {
            fail(&mut bucket, tag << 40, &[1_800_000_000]);
        }
        assert_eq!(bucket.to_bytes().len(), empty);
        assert_eq!(CountBucket::from_bytes(&bucket.to_bytes()), Ok(bucket));
        assert_eq!(CountBucket::from_bytes(&[0; 7]), Err(InvalidBucket));
    }
}
