//! Guesses that have begun and are not over. Those that nobody hears of again, since the caller hung up or a VM crashed, become
//! failures after a while.

use super::store::{InvalidBucket, TableBucket};
use crate::time::UnixTime;

/// Entries in a bucket.
const ENTRIES: usize = 64;
/// Tag, time, two counts.
const ENTRY_BYTES: usize = 8 + 8 + 2 + 2;
/// A guess is lost once as many seconds have passed, and before twice as many have: longer than any login takes.
const SPAN: u64 = 60;

/// Some entries of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FlightBucket(Vec<Flight>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Flight {
    tag: u64,
    /// The span of time in which the newest of them began.
    span: TimeSlot,
    newest: u16,
    /// Those of the span before.
    older: u16,
}

/// A span of time, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimeSlot(u64);

impl TimeSlot {
    pub(super) fn of(now: UnixTime) -> Self {
        Self(now.0.checked_div(SPAN).unwrap_or_default())
    }

    fn end(self) -> UnixTime {
        UnixTime(self.0.saturating_add(1).saturating_mul(SPAN))
    }
}

impl FlightBucket {
    /// How many are under way.
    pub(super) fn under_way(&self, tag: u64, now: UnixTime) -> u16 {
        let entry = self.0.iter().find(|entry| entry.tag == tag);
        entry.map_or(0, |entry| entry.at(TimeSlot::of(now)).0.under_way())
    }

    /// Takes out those that are lost, and tells how many they were and when they began at the latest.
    pub(super) fn take_lost(&mut self, tag: u64, now: UnixTime) -> Option<(u16, UnixTime)> {
        let entry = self.0.iter_mut().find(|entry| entry.tag == tag)?;
        let began = entry.span.end().min(now);
        let (after, lost) = entry.at(TimeSlot::of(now));
        *entry = after;
        (lost > 0).then_some((lost, began))
    }

    /// One more begins.
    pub(super) fn begin(&mut self, tag: u64, now: UnixTime) {
        let span = TimeSlot::of(now);
        self.0.retain(|entry| entry.at(span).0.under_way() > 0);
        let entry = self.0.iter_mut().find(|entry| entry.tag == tag);
        match entry {
            Some(entry) => {
                let (after, _) = entry.at(span);
                *entry = Flight { newest: after.newest.saturating_add(1), ..after };
            }
            None => {
                self.make_room();
                self.0.push(Flight { tag, span, newest: 1, older: 0 });
            }
        }
    }

    /// One that began then is over.
    pub(super) fn end(&mut self, tag: u64, begun: TimeSlot) {
        let Some(entry) = self.0.iter_mut().find(|entry| entry.tag == tag) else { return };
        if begun == entry.span {
            entry.newest = entry.newest.saturating_sub(1);
        } else if begun.0.saturating_add(1) == entry.span.0 {
            entry.older = entry.older.saturating_sub(1);
        }
        self.0.retain(|entry| entry.under_way() > 0);
    }

    /// Whoever has the fewest under way has the least to lose.
    fn make_room(&mut self) {
        if self.0.len() >= ENTRIES {
            let least = self.0.iter().enumerate().min_by_key(|(_, entry)| (entry.under_way(), entry.span));
            least.map(|(at, _)| at).map(|at| self.0.swap_remove(at));
        }
    }
}

impl Flight {
    fn under_way(&self) -> u16 {
        self.newest.saturating_add(self.older)
    }

    /// What it is in another span of time, and how many are lost by then. A clock that was put back loses all: they can't be told
    /// from those that began long ago.
    fn at(&self, span: TimeSlot) -> (Self, u16) {
        match span.0.checked_sub(self.span.0) {
            Some(0) => (*self, 0),
            Some(1) => (Self { span, newest: 0, older: self.newest, ..*self }, self.older),
            None if span.0.saturating_add(1) == self.span.0 => (*self, 0),
            _ => (Self { span, newest: 0, older: 0, ..*self }, self.under_way()),
        }
    }

    fn to_bytes(self) -> impl Iterator<Item = u8> {
        let numbers = self.tag.to_le_bytes().into_iter().chain(self.span.0.to_le_bytes());
        numbers.chain(self.newest.to_le_bytes()).chain(self.older.to_le_bytes())
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, newest @ .., q, r] = *bytes;
        Self {
            tag: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            span: TimeSlot(u64::from_le_bytes([i, j, k, l, m, n, o, p])),
            newest: u16::from_le_bytes(newest),
            older: u16::from_le_bytes([q, r]),
        }
    }
}

impl TableBucket for FlightBucket {
    fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidBucket> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        if entries.len() > ENTRIES || !rest.is_empty() {
            return Err(InvalidBucket);
        }
        Ok(Self(entries.iter().map(Flight::from_bytes).collect()))
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|entry| entry.to_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixTime = UnixTime(6000);

    fn begun(times: &[u64]) -> FlightBucket {
        let mut bucket = FlightBucket::default();
        times.iter().for_each(|time| bucket.begin(1, UnixTime(START.0 + time)));
        bucket
    }

    fn after(seconds: u64) -> UnixTime {
        UnixTime(START.0 + seconds)
    }

    #[test]
    fn what_begins_is_under_way_until_it_ends() {
        let mut bucket = begun(&[0, 59, 60]);
        assert_eq!(bucket.under_way(1, after(60)), 3);
        bucket.end(1, TimeSlot::of(after(59)));
        assert_eq!(bucket.under_way(1, after(60)), 2);
        bucket.end(1, TimeSlot::of(after(0)));
        bucket.end(1, TimeSlot::of(after(60)));
        assert_eq!(bucket, FlightBucket::default());
    }

    #[test]
    fn what_is_not_heard_of_again_is_lost_and_told_once() {
        let mut bucket = begun(&[0, 30, 70]);
        assert_eq!(bucket.take_lost(1, after(119)), None);
        assert_eq!(bucket.take_lost(1, after(120)), Some((2, after(120))));
        assert_eq!(bucket.take_lost(1, after(120)), None);
        assert_eq!(bucket.under_way(1, after(120)), 1);
        assert_eq!(bucket.take_lost(1, after(100_000)), Some((1, after(180))));
    }

    #[test]
    fn what_ends_after_it_was_taken_for_lost_is_nobody_elses() {
        let mut bucket = begun(&[0]);
        bucket.take_lost(1, after(200));
        bucket.begin(1, after(200));
        bucket.end(1, TimeSlot::of(after(0)));
        assert_eq!(bucket.under_way(1, after(200)), 1);
    }

    #[test]
    fn a_clock_that_is_a_little_behind_loses_nothing_and_one_that_was_far_ahead_leaves_nothing() {
        let mut bucket = begun(&[60]);
        assert_eq!(bucket.take_lost(1, after(59)), None);
        assert_eq!(bucket.under_way(1, after(59)), 1);
        let mut ahead = begun(&[6000]);
        assert_eq!(ahead.take_lost(1, after(0)), Some((1, after(0))));
        assert_eq!(ahead.under_way(1, after(0)), 0);
    }

    #[test]
    fn it_never_grows_beyond_its_size_and_survives_as_bytes() {
        let mut bucket = begun(&[0, 0]);
        (2..1000).for_each(|tag| bucket.begin(tag << 40, START));
        assert_eq!(bucket.to_bytes().len(), ENTRIES * ENTRY_BYTES);
        assert_eq!(bucket.under_way(1, START), 2, "who has most to lose stays");
        assert_eq!(FlightBucket::from_bytes(&bucket.to_bytes()), Ok(bucket));
        assert_eq!(FlightBucket::from_bytes(&[0; 19]), Err(InvalidBucket));
    }
}
