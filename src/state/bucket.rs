//! A bucket of the local table: a fixed number of entries at most. A newcomer to a full one takes the place of whoever
//! was renewed longest ago, and the bucket then takes everyone it doesn't know and who was not renewed since for ended:
//! a table that is too small shortens the time for which people may be idle, and never brings an ended token back.

use std::time::Duration;

use super::{
    family::{Family, FamilyStatus, RefreshTokenUse, Revoke, TokenInUse, UseResult},
    id::{FamilyId, TokenId},
    places::{OriginMark, Places},
};
use crate::time::UnixTime;

/// Some entries of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyBucket {
    /// Who is not known and not newer than this has ended.
    forgotten: u64,
    entries: Vec<KnownFamily>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KnownFamily {
    id: u64,
    family: Family,
}

/// Where in the table something is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyPlace(u64);

/// The bytes are not a bucket's.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidFamilyBucket;

/// Entries in a bucket.
const ENTRIES: usize = 128;
/// Id, since, until, generation, and the places.
const ENTRY_BYTES: usize = 8 + 8 + 8 + 4 + 4 + 4;
/// In place of a generation.
const ENDED: u32 = u32::MAX;
/// In place of an id, for what is known of those who were dropped because their time was over: the latest end, and since when.
/// A family's id has fewer bits, and in that of a token those of its version are others (RFC 9562 §5.4).
const DROPPED: u64 = u64::MAX;
/// So much later than their end they are dropped: a clock that is put back by less changes nothing.
const SLACK: Duration = Duration::from_secs(60);
/// Tells the id of a token from that of a family, which has no such bit.
const TOKEN: u64 = 1 << 63;

/// A question to the memory of tokens, or something to be remembered.
pub trait Question: Copy {
    /// What it is answered with.
    type Answer: Copy + std::fmt::Debug + PartialEq;

    /// Where it is answered, and where it is asked again if the answer leaves that open.
    fn places(&self) -> (FamilyPlace, Option<FamilyPlace>);

    /// The answer of a bucket. The bucket is to be kept where it has changed.
    fn ask(&self, bucket: &mut FamilyBucket, now: UnixTime) -> Self::Answer;

    /// Whether another bucket may say otherwise.
    fn is_open(_: &Self::Answer) -> bool {
        false
    }
}

/// May this refresh token be used, and which generation follows it? Of many that claim at once, one begins the next generation.
impl Question for RefreshTokenUse {
    type Answer = UseResult;

    fn places(&self) -> (FamilyPlace, Option<FamilyPlace>) {
        (FamilyPlace(self.family.0), None)
    }

    fn ask(&self, bucket: &mut FamilyBucket, now: UnixTime) -> UseResult {
        bucket.claim(self, now)
    }
}

/// Is this token good still?
impl Question for TokenInUse {
    type Answer = bool;

    /// For an access token that is in two places, both of which must take it for good: its family's, and its own, which is
    /// another, or one family's denied tokens could push strangers out of its bucket.
    fn places(&self) -> (FamilyPlace, Option<FamilyPlace>) {
        match self {
            Self::Refresh(claim) => (FamilyPlace(claim.family.0), None),
            Self::Access { token, .. } => (FamilyPlace(token.family().0), Some(FamilyPlace(token.unique()))),
        }
    }

    fn ask(&self, bucket: &mut FamilyBucket, now: UnixTime) -> bool {
        bucket.is_good(*self, now)
    }

    fn is_open(is_good: &bool) -> bool {
        *is_good
    }
}

impl Question for Revoke {
    type Answer = ();

    fn places(&self) -> (FamilyPlace, Option<FamilyPlace>) {
        match self {
            Self::Family { family, .. } => (FamilyPlace(family.0), None),
            Self::Token { token, .. } => (FamilyPlace(token.unique()), None),
        }
    }

    fn ask(&self, bucket: &mut FamilyBucket, now: UnixTime) {
        match *self {
            Self::Family { family: FamilyId(id), until } => bucket.end(id, now, until),
            Self::Token { token, until } => bucket.end(id_of(token), now, until),
        }
    }
}

impl FamilyPlace {
    /// Which of so many buckets.
    pub fn bucket(self, buckets: u64) -> u64 {
        let Self(id) = self;
        id.checked_rem(buckets).unwrap_or_default()
    }
}

impl FamilyBucket {
    fn claim(&mut self, claim: &RefreshTokenUse, now: UnixTime) -> UseResult {
        self.notice(now);
        let known = self.get(claim.family.0);
        if self.is_forgotten(claim, known) {
            return UseResult::Ended { is_shared: false };
        }
        let (claimed, family) = claim.judge(known, now);
        if let Some(family) = family {
            self.put(claim.family.0, family, now);
        }
        claimed
    }

    fn is_good(&mut self, token: TokenInUse, now: UnixTime) -> bool {
        self.notice(now);
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
        self.notice(now);
        self.put(id, Family::ended(now, until), now);
    }

    fn get(&self, id: u64) -> Option<Family> {
        self.entries.iter().find(|entry| entry.id == id).map(|entry| entry.family)
    }

    /// Looks at the clock. Where it stands before the end of somebody who was dropped, it was put back, and whoever is not known
    /// may be one who had ended: all that is older than now is taken for ended.
    fn notice(&mut self, now: UnixTime) {
        if let Some(dropped) = self.get(DROPPED).filter(|dropped| dropped.until > now) {
            self.forgotten = self.forgotten.max(now.max(dropped.since).0);
            self.entries.retain(|entry| entry.id != DROPPED);
        }
    }

    /// Those whose time is over stay until there is no room: a clock that is ahead may only take them for it.
    fn put(&mut self, id: u64, family: Family, now: UnixTime) {
        self.entries.retain(|entry| entry.id != id);
        if self.entries.len() >= ENTRIES {
            self.drop_those_whose_time_is_over(now);
        }
        if self.entries.len() >= ENTRIES {
            self.forget_one();
        }
        self.entries.push(KnownFamily { id, family });
    }

    fn drop_those_whose_time_is_over(&mut self, now: UnixTime) {
        let is_over = |entry: &KnownFamily| entry.id != DROPPED && entry.family.until.after(SLACK) <= now;
        let over: Vec<Family> = self.entries.extract_if(.., |entry| is_over(entry)).map(|entry| entry.family).collect();
        let last = over.into_iter().chain(self.get(DROPPED)).reduce(|a, b| Family {
            standing: FamilyStatus::Ended,
            since: a.since.max(b.since),
            until: a.until.max(b.until),
            places: Places::default(),
        });
        self.entries.retain(|entry| entry.id != DROPPED);
        self.entries.extend(last.map(|family| KnownFamily { id: DROPPED, family }));
    }

    fn forget_one(&mut self) {
        let those = self.entries.iter().enumerate().filter(|(_, entry)| entry.id != DROPPED);
        let oldest = those.min_by_key(|(_, entry)| entry.family.since);
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
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidFamilyBucket> {
        let Some((forgotten, rest)) = bytes.split_first_chunk() else {
            return if bytes.is_empty() { Ok(Self::default()) } else { Err(InvalidFamilyBucket) };
        };
        let (entries, rest) = rest.as_chunks();
        if !rest.is_empty() {
            return Err(InvalidFamilyBucket);
        }
        let entries = entries.iter().map(KnownFamily::from_bytes).collect();
        Ok(Self { forgotten: u64::from_le_bytes(*forgotten), entries })
    }
}

impl KnownFamily {
    fn append_to(self, bytes: &mut Vec<u8>) {
        let Family { standing, since, until, places: Places { began_from, elsewhere } } = self.family;
        let generation = match standing {
            FamilyStatus::Newest(generation) => generation.min(ENDED - 1),
            FamilyStatus::Ended => ENDED,
        };
        // No first generation has a grace, and one mark in four billions is taken for none.
        let places = [began_from.map_or(0, |OriginMark(mark)| mark), elsewhere.unwrap_or(0)];
        [self.id, since.0, until.0].iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        [generation].iter().chain(&places).for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let (numbers, rest) = bytes.split_at(3 * 8);
        let mut long = numbers.as_chunks().0.iter().map(|number| u64::from_le_bytes(*number));
        let mut short = rest.as_chunks().0.iter().map(|number| u32::from_le_bytes(*number));
        let mut time = || long.next().unwrap_or_default();
        let (id, since, until) = (time(), UnixTime(time()), UnixTime(time()));
        let standing = match short.next().unwrap_or(ENDED) {
            ENDED => FamilyStatus::Ended,
            generation => FamilyStatus::Newest(generation),
        };
        let mut place = || short.next().filter(|number| *number != 0);
        let places = Places { began_from: place().map(OriginMark), elsewhere: place() };
        Self { id, family: Family { standing, since, until, places } }
    }
}

fn id_of(token: TokenId) -> u64 {
    token.unique() | TOKEN
}

#[cfg(test)]
mod tests;
