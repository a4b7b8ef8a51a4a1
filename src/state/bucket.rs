//! A bucket of the local table: a fixed number of entries at most. A newcomer to a full one takes the place of whoever
//! was renewed longest ago, and the bucket then takes everyone it doesn't know and who was not renewed since for ended:
//! a table that is too small shortens the time for which people may be idle, and never brings an ended token back.

use super::{
    family::{Family, FamilyStatus, RefreshTokenUse, Revoke, TokenInUse, UseResult},
    id::{FamilyId, TokenId},
};
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

/// A question to the memory of tokens, or something to be remembered.
pub trait Question: Copy {
    /// What it is answered with.
    type Answer: Copy + std::fmt::Debug + PartialEq;

    /// Where it is answered, and where it is asked again if the answer leaves that open.
    fn places(&self) -> (Place, Option<Place>);

    /// The answer of a bucket. The bucket is to be kept where it has changed.
    fn ask(&self, bucket: &mut Bucket, now: UnixTime) -> Self::Answer;

    /// Whether another bucket may say otherwise.
    fn is_open(_: &Self::Answer) -> bool {
        false
    }
}

/// May this refresh token be used, and which generation follows it? Of many that claim at once, one begins the next generation.
impl Question for RefreshTokenUse {
    type Answer = UseResult;

    fn places(&self) -> (Place, Option<Place>) {
        (Place(self.family.0), None)
    }

    fn ask(&self, bucket: &mut Bucket, now: UnixTime) -> UseResult {
        bucket.claim(self, now)
    }
}

/// Is this token good still?
impl Question for TokenInUse {
    type Answer = bool;

    /// For an access token that is in two places, both of which must take it for good: its family's, and its own, which is
    /// another, or one family's denied tokens could push strangers out of its bucket.
    fn places(&self) -> (Place, Option<Place>) {
        match self {
            Self::Refresh(claim) => (Place(claim.family.0), None),
            Self::Access { token, .. } => (Place(token.family().0), Some(Place(token.unique()))),
        }
    }

    fn ask(&self, bucket: &mut Bucket, now: UnixTime) -> bool {
        bucket.is_good(*self, now)
    }

    fn is_open(is_good: &bool) -> bool {
        *is_good
    }
}

impl Question for Revoke {
    type Answer = ();

    fn places(&self) -> (Place, Option<Place>) {
        match self {
            Self::Family { family, .. } => (Place(family.0), None),
            Self::Token { token, .. } => (Place(token.unique()), None),
        }
    }

    fn ask(&self, bucket: &mut Bucket, now: UnixTime) {
        match *self {
            Self::Family { family: FamilyId(id), until } => bucket.end(id, now, until),
            Self::Token { token, until } => bucket.end(id_of(token), now, until),
        }
    }
}

impl Place {
    /// Which of so many buckets.
    pub fn bucket(self, buckets: u64) -> u64 {
        let Self(id) = self;
        id.checked_rem(buckets).unwrap_or_default()
    }
}

impl Bucket {
    fn claim(&mut self, claim: &RefreshTokenUse, now: UnixTime) -> UseResult {
        let known = self.get(claim.family.0);
        if self.is_forgotten(claim, known) {
            return UseResult::Ended;
        }
        let (claimed, family) = claim.judge(known, now);
        if let Some(family) = family {
            self.put(claim.family.0, family, now);
        }
        claimed
    }

    fn is_good(&self, token: TokenInUse, now: UnixTime) -> bool {
        match token {
            TokenInUse::Refresh(claim) => {
                let known = self.get(claim.family.0);
                !self.is_forgotten(&claim, known) && claim.is_good(known, now)
            }
            TokenInUse::Access { token, issued_at } => {
                let ids = [token.family().0, id_of(token)];
                let has_ended = |id| self.get(id).is_some_and(|family| family.standing == FamilyStatus::Ended);
                !ids.into_iter().any(has_ended) && issued_at.0 > self.forgotten
            }
        }
    }

    fn is_forgotten(&self, claim: &RefreshTokenUse, known: Option<Family>) -> bool {
        known.is_none() && claim.issued_at.0 <= self.forgotten
    }

    fn end(&mut self, id: u64, now: UnixTime, until: UnixTime) {
        self.put(id, Family::ended(now, until), now);
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
            FamilyStatus::Newest(generation) => generation.min(ENDED - 1),
            FamilyStatus::Ended => ENDED,
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
            ENDED => FamilyStatus::Ended,
            generation => FamilyStatus::Newest(generation),
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

    fn claim(family: u64, generation: u32, issued_at: u64) -> RefreshTokenUse {
        let (family, issued_at, grace) = (FamilyId(family), UnixTime(issued_at), Duration::from_secs(10));
        RefreshTokenUse { family, generation, issued_at, until: LATER, grace }
    }

    fn claimed(bucket: &mut Bucket, question: &RefreshTokenUse, now: u64) -> Option<u32> {
        match question.ask(bucket, UnixTime(now)) {
            UseResult::Next { generation, .. } => Some(generation),
            UseResult::Ended => None,
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
        let look = TokenInUse::Access { token, issued_at: UnixTime(5) };
        claimed(&mut bucket, &claim(token.family().0, 0, 5), 6);
        assert!(look.ask(&mut bucket, UnixTime(7)));
        Revoke::Family { family: token.family(), until: LATER }.ask(&mut bucket, UnixTime(8));
        assert!(!look.ask(&mut bucket, UnixTime(9)));
    }

    #[test]
    fn one_denied_token_ends_alone() {
        let mut bucket = Bucket::default();
        let first = TokenId::fresh(Entropy::new([7; 32]));
        let second = TokenId::in_family(Entropy::new([8; 32]), first.family());
        Revoke::Token { token: first, until: LATER }.ask(&mut bucket, UnixTime(6));
        let look = |token| TokenInUse::Access { token, issued_at: UnixTime(5) };
        assert!(!look(first).ask(&mut bucket, UnixTime(7)));
        assert!(look(second).ask(&mut bucket, UnixTime(7)));
        assert_eq!(claimed(&mut bucket, &claim(first.family().0, 0, 5), 7), Some(1));
    }

    #[test]
    fn a_familys_denied_tokens_are_not_all_in_one_bucket() {
        let family = FamilyId(7);
        let buckets = (0..100).map(|number| {
            let token = TokenId::in_family(Entropy::new([number; 32]), family);
            let looked = TokenInUse::Access { token, issued_at: LATER }.places();
            let (denied, _) = Revoke::Token { token, until: LATER }.places();
            let (ended, _) = Revoke::Family { family, until: LATER }.places();
            assert_eq!(looked, (ended, Some(denied)));
            denied.bucket(2048)
        });
        assert!(buckets.collect::<std::collections::HashSet<_>>().len() > 50);
    }

    #[test]
    fn a_look_changes_nothing() {
        let mut bucket = Bucket::default();
        claimed(&mut bucket, &claim(1, 0, 5), 10);
        let before = bucket.clone();
        let look = TokenInUse::Refresh(claim(1, 0, 5));
        assert!(look.ask(&mut bucket, UnixTime(15)));
        assert!(!look.ask(&mut bucket, UnixTime(500)));
        assert_eq!(bucket, before);
    }

    #[test]
    fn a_revoked_family_that_was_forgotten_stays_ended() {
        let mut bucket = Bucket::default();
        Revoke::Family { family: FamilyId(1), until: LATER }.ask(&mut bucket, UnixTime(100));
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
        Revoke::Family { family: FamilyId(7), until: LATER }.ask(&mut bucket, UnixTime(150));
        fill(&mut bucket, 200);
        let bytes = bucket.to_bytes();
        assert_eq!(bytes.len(), 8 + ENTRIES * ENTRY_BYTES);
        assert_eq!(Bucket::from_bytes(&bytes), Ok(bucket));
        assert_eq!(Bucket::from_bytes(&bytes[..bytes.len() - 1]), Err(InvalidBucket));
    }
}
