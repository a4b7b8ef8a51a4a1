//! A bucket of the local table: a fixed number of entries at most. A newcomer to a full one takes the place of whoever
//! was renewed longest ago, and the bucket then takes everyone it doesn't know and who was not renewed since for ended:
//! a table that is too small shortens the time for which people may be idle, and never brings an ended token back.

use super::{Claim, Claimed, Family, FamilyId, Standing, StateAnswer, StateQuestion, TokenId, Use};
use crate::time::UnixTime;

/// Some entries of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Who is not known and not newer than this has ended.
    forgotten: u64,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    id: u64,
    family: Family,
}

/// Where in the table something is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u64);

/// The bytes are not a bucket's.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidBucket;

/// Entries in a bucket.
const ENTRIES: usize = 128;
/// Id, since, until, generation.
const ENTRY_BYTES: usize = 8 + 8 + 8 + 4;
/// In place of a generation.
const ENDED: u32 = u32::MAX;
/// Tells the id of a token from that of a family, which has no such bit.
const TOKEN: u64 = 1 << 63;

impl Place {
    /// Where a question is answered. For an access token that is in two places, both of which must take it for good: its
    /// family's, and its own, which is another, or one family's denied tokens could push strangers out of its bucket.
    pub fn of(question: &StateQuestion) -> impl Iterator<Item = Self> {
        let (first, second) = match question {
            StateQuestion::Claim(claim) | StateQuestion::Look(Use::Refresh(claim)) => (claim.family.0, None),
            StateQuestion::Look(Use::Access { token, .. }) => (token.family().0, Some(token.unique())),
            StateQuestion::Deny { token, .. } => (token.unique(), None),
            StateQuestion::End { family, .. } => (family.0, None),
        };
        [Some(first), second].into_iter().flatten().map(Self)
    }

    /// Which of so many buckets.
    pub fn bucket(self, buckets: u64) -> u64 {
        let Self(id) = self;
        id.checked_rem(buckets).unwrap_or_default()
    }
}

impl Bucket {
    /// Answers a question. The bucket is to be kept where it has changed.
    pub fn answer(&mut self, question: &StateQuestion, now: UnixTime) -> StateAnswer {
        match *question {
            StateQuestion::Claim(claim) => StateAnswer::Claimed(self.claim(&claim, now)),
            StateQuestion::Look(token) => StateAnswer::Looked(self.is_good(token, now)),
            StateQuestion::End { family: FamilyId(id), until } => self.end(id, now, until),
            StateQuestion::Deny { token, until } => self.end(id_of(token), now, until),
        }
    }

    fn claim(&mut self, claim: &Claim, now: UnixTime) -> Claimed {
        let known = self.get(claim.family.0);
        if self.is_forgotten(claim, known) {
            return Claimed::Ended;
        }
        let (claimed, family) = claim.judge(known, now);
        if let Some(family) = family {
            self.put(claim.family.0, family, now);
        }
        claimed
    }

    fn is_good(&self, token: Use, now: UnixTime) -> bool {
        match token {
            Use::Refresh(claim) => {
                let known = self.get(claim.family.0);
                !self.is_forgotten(&claim, known) && claim.is_good(known, now)
            }
            Use::Access { token, issued_at } => {
                let ids = [token.family().0, id_of(token)];
                let has_ended = |id| self.get(id).is_some_and(|family| family.standing == Standing::Ended);
                !ids.into_iter().any(has_ended) && issued_at.0 > self.forgotten
            }
        }
    }

    fn is_forgotten(&self, claim: &Claim, known: Option<Family>) -> bool {
        known.is_none() && claim.issued_at.0 <= self.forgotten
    }

    fn end(&mut self, id: u64, now: UnixTime, until: UnixTime) -> StateAnswer {
        self.put(id, Family::ended(now, until), now);
        StateAnswer::Remembered
    }

    fn get(&self, id: u64) -> Option<Family> {
        self.entries.iter().find(|entry| entry.id == id).map(|entry| entry.family)
    }

    fn put(&mut self, id: u64, family: Family, now: UnixTime) {
        self.entries.retain(|entry| entry.id != id && entry.family.until > now);
        if self.entries.len() >= ENTRIES {
            self.forget_one();
        }
        self.entries.push(Entry { id, family });
    }

    fn forget_one(&mut self) {
        let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.family.since);
        if let Some((at, entry)) = oldest {
            self.forgotten = self.forgotten.max(entry.family.since.0);
            self.entries.swap_remove(at);
        }
    }

    /// The bucket as bytes: no more than a fixed number.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.entries.len() * ENTRY_BYTES);
        bytes.extend_from_slice(&self.forgotten.to_le_bytes());
        self.entries.iter().for_each(|entry| entry.append_to(&mut bytes));
        bytes
    }

    /// The bucket that these bytes were made from. No bytes are an empty bucket.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidBucket> {
        let Some((forgotten, rest)) = bytes.split_first_chunk() else {
            return if bytes.is_empty() { Ok(Self::default()) } else { Err(InvalidBucket) };
        };
        let (entries, rest) = rest.as_chunks();
        if !rest.is_empty() {
            return Err(InvalidBucket);
        }
        let entries = entries.iter().map(Entry::from_bytes).collect();
        Ok(Self { forgotten: u64::from_le_bytes(*forgotten), entries })
    }
}

impl Entry {
    fn append_to(self, bytes: &mut Vec<u8>) {
        let Family { standing, since, until } = self.family;
        let generation = match standing {
            Standing::Newest(generation) => generation.min(ENDED - 1),
            Standing::Ended => ENDED,
        };
        [self.id, since.0, until.0].iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        bytes.extend_from_slice(&generation.to_le_bytes());
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let (numbers, rest) = bytes.as_chunks();
        let mut numbers = numbers.iter().map(|number| u64::from_le_bytes(*number));
        let mut number = || numbers.next().unwrap_or_default();
        let (id, since, until) = (number(), UnixTime(number()), UnixTime(number()));
        let standing = match rest.try_into().map_or(ENDED, u32::from_le_bytes) {
            ENDED => Standing::Ended,
            generation => Standing::Newest(generation),
        };
        Self { id, family: Family { standing, since, until } }
    }
}

fn id_of(token: TokenId) -> u64 {
    token.unique() | TOKEN
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::Entropy;

    const LATER: UnixTime = UnixTime(1_000_000);

    fn claim(family: u64, generation: u32, issued_at: u64) -> StateQuestion {
        let (family, issued_at, grace) = (FamilyId(family), UnixTime(issued_at), Duration::from_secs(10));
        StateQuestion::Claim(Claim { family, generation, issued_at, until: LATER, grace })
    }

    fn claimed(bucket: &mut Bucket, question: &StateQuestion, now: u64) -> Option<u32> {
        match bucket.answer(question, UnixTime(now)) {
            StateAnswer::Claimed(Claimed::Next { generation, .. }) => Some(generation),
            StateAnswer::Claimed(Claimed::Ended) => None,
            other => panic!("{other:?}"),
        }
    }

    fn fill(bucket: &mut Bucket, now: u64) {
        for family in 1_000..2_000 {
            claimed(bucket, &claim(family, 0, now), now);
        }
    }

    #[test]
    fn families_go_on_side_by_side() {
        let mut bucket = Bucket::default();
        for family in 0..100 {
            assert_eq!(claimed(&mut bucket, &claim(family, 0, 5), 10), Some(1));
        }
        for family in 0..100 {
            assert_eq!(claimed(&mut bucket, &claim(family, 0, 5), 20), Some(1), "the grace lasts");
            assert_eq!(claimed(&mut bucket, &claim(family, 0, 5), 21), None, "theft");
            assert_eq!(claimed(&mut bucket, &claim(family, 1, 10), 21), None, "the family has ended");
        }
    }

    #[test]
    fn an_ended_family_takes_its_access_tokens_along() {
        let mut bucket = Bucket::default();
        let token = TokenId::fresh(Entropy::new([7; 32]));
        let look = StateQuestion::Look(Use::Access { token, issued_at: UnixTime(5) });
        claimed(&mut bucket, &claim(token.family().0, 0, 5), 6);
        assert_eq!(bucket.answer(&look, UnixTime(7)), StateAnswer::Looked(true));
        bucket.answer(&StateQuestion::End { family: token.family(), until: LATER }, UnixTime(8));
        assert_eq!(bucket.answer(&look, UnixTime(9)), StateAnswer::Looked(false));
    }

    #[test]
    fn one_denied_token_ends_alone() {
        let mut bucket = Bucket::default();
        let first = TokenId::fresh(Entropy::new([7; 32]));
        let second = TokenId::in_family(Entropy::new([8; 32]), first.family());
        bucket.answer(&StateQuestion::Deny { token: first, until: LATER }, UnixTime(6));
        let look = |token| StateQuestion::Look(Use::Access { token, issued_at: UnixTime(5) });
        assert_eq!(bucket.answer(&look(first), UnixTime(7)), StateAnswer::Looked(false));
        assert_eq!(bucket.answer(&look(second), UnixTime(7)), StateAnswer::Looked(true));
        assert_eq!(claimed(&mut bucket, &claim(first.family().0, 0, 5), 7), Some(1));
    }

    #[test]
    fn a_familys_denied_tokens_are_not_all_in_one_bucket() {
        let family = FamilyId(7);
        let buckets = (0..100).map(|number| {
            let token = TokenId::in_family(Entropy::new([number; 32]), family);
            let looked: Vec<_> = Place::of(&StateQuestion::Look(Use::Access { token, issued_at: LATER })).collect();
            let denied = Place::of(&StateQuestion::Deny { token, until: LATER }).next().unwrap();
            let ended = Place::of(&StateQuestion::End { family, until: LATER }).next().unwrap();
            assert_eq!(looked, [ended, denied]);
            denied.bucket(2048)
        });
        assert!(buckets.collect::<std::collections::HashSet<_>>().len() > 50);
    }

    #[test]
    fn a_look_changes_nothing() {
        let mut bucket = Bucket::default();
        claimed(&mut bucket, &claim(1, 0, 5), 10);
        let before = bucket.clone();
        let StateQuestion::Claim(old) = claim(1, 0, 5) else { unreachable!() };
        let look = StateQuestion::Look(Use::Refresh(old));
        assert_eq!(bucket.answer(&look, UnixTime(15)), StateAnswer::Looked(true));
        assert_eq!(bucket.answer(&look, UnixTime(500)), StateAnswer::Looked(false));
        assert_eq!(bucket, before);
    }

    #[test]
    fn a_revoked_family_that_was_forgotten_stays_ended() {
        let mut bucket = Bucket::default();
        bucket.answer(&StateQuestion::End { family: FamilyId(1), until: LATER }, UnixTime(100));
        fill(&mut bucket, 200);
        assert_eq!(bucket.get(1), None);
        assert_eq!(claimed(&mut bucket, &claim(1, 0, 50), 300), None);
        assert_eq!(claimed(&mut bucket, &claim(1, 3, 100), 300), None);
        assert_eq!(claimed(&mut bucket, &claim(2, 0, 250), 300), Some(1), "who came later is not concerned");
    }

    #[test]
    fn those_whose_time_is_over_make_room_first() {
        let mut bucket = Bucket::default();
        fill(&mut bucket, 200);
        let (mut after, now) = (bucket.clone(), LATER.0 + 1);
        assert_eq!(claimed(&mut after, &claim(1, 0, 50), now), None, "idle for longer than the table remembers");
        assert_eq!(claimed(&mut after, &claim(1, 0, now), now), Some(1));
        assert_eq!(after.entries.len(), 1);
    }

    #[test]
    fn it_never_grows_beyond_its_size_and_survives_as_bytes() {
        let mut bucket = Bucket::default();
        assert_eq!(Bucket::from_bytes(&[]), Ok(Bucket::default()));
        bucket.answer(&StateQuestion::End { family: FamilyId(7), until: LATER }, UnixTime(150));
        fill(&mut bucket, 200);
        let bytes = bucket.to_bytes();
        assert_eq!(bytes.len(), 8 + ENTRIES * ENTRY_BYTES);
        assert_eq!(Bucket::from_bytes(&bytes), Ok(bucket));
        assert_eq!(Bucket::from_bytes(&bytes[..bytes.len() - 1]), Err(InvalidBucket));
    }
}
