//! Friends: where somebody's password was right a while ago. Strangers' failures don't hold them (OWASP, Slow Down Online
//! Guessing Attacks with Device Cookies).

use super::store::{InvalidBucket, TableBucket};

/// Whose friend, and where from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FriendKey {
    /// Which bucket: that of the user.
    pub(crate) bucket: u16,
    /// The user.
    pub(crate) user: u64,
    /// The client and the address.
    pub(crate) place: u64,
}

/// Some entries of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FriendBucket(Vec<KnownFriend>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KnownFriend {
    user: u64,
    place: u64,
    /// When the password was last right, in days since 1970.
    day: u32,
}

/// A day and how long friends are remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    /// In days since 1970.
    pub(crate) today: u32,
    /// In days.
    pub(crate) remembered: u32,
}

const ENTRIES: usize = 64;
/// User, place, day.
const ENTRY_BYTES: usize = 8 + 8 + 4;
/// So many places of one user are remembered: nobody can fill a bucket by himself.
const PLACES_OF_ONE: usize = 8;

impl FriendBucket {
    /// Whether this is a friend.
    pub(super) fn knows(&self, friend: &FriendKey, calendar: Calendar) -> bool {
        self.0.iter().any(|entry| entry.is(friend) && entry.is_remembered(calendar))
    }

    /// Remembers a friend. What is written once a day at most costs others no room and a store no calls.
    pub(super) fn add(&mut self, friend: &FriendKey, calendar: Calendar) {
        self.0.retain(|entry| entry.is_remembered(calendar) && !entry.is(friend));
        let own = self.0.iter().filter(|entry| entry.user == friend.user).count();
        if own >= PLACES_OF_ONE {
            self.drop_oldest(|entry| entry.user == friend.user);
        } else if self.0.len() >= ENTRIES {
            self.drop_oldest(|_| true);
        }
        self.0.push(KnownFriend { user: friend.user, place: friend.place, day: calendar.today });
    }

    fn drop_oldest(&mut self, may_go: impl Fn(&KnownFriend) -> bool) {
        let candidates = self.0.iter().enumerate().filter(|(_, entry)| may_go(entry));
        if let Some((at, _)) = candidates.min_by_key(|(_, entry)| entry.day) {
            self.0.remove(at);
        }
    }

    /// Whether it was remembered today already.
    pub(super) fn is_fresh(&self, friend: &FriendKey, calendar: Calendar) -> bool {
        self.0.iter().any(|entry| entry.is(friend) && entry.day == calendar.today)
    }
}

impl KnownFriend {
    fn is(&self, friend: &FriendKey) -> bool {
        self.user == friend.user && self.place == friend.place
    }

    fn is_remembered(&self, Calendar { today, remembered }: Calendar) -> bool {
        today.abs_diff(self.day) <= remembered
    }
}

impl TableBucket for FriendBucket {
    fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidBucket> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        if entries.len() > ENTRIES || !rest.is_empty() {
            return Err(InvalidBucket);
        }
        Ok(Self(entries.iter().map(KnownFriend::from_bytes).collect()))
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|entry| entry.to_bytes()).collect()
    }
}

impl KnownFriend {
    fn to_bytes(self) -> impl Iterator<Item = u8> {
        let user = self.user.to_le_bytes().into_iter();
        user.chain(self.place.to_le_bytes()).chain(self.day.to_le_bytes())
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, rest @ ..] = *bytes;
        let [i, j, k, l, m, n, o, p, day @ ..] = rest;
        Self {
            user: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            place: u64::from_le_bytes([i, j, k, l, m, n, o, p]),
            day: u32::from_le_bytes(day),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn friend(user: u64, place: u64) -> FriendKey {
        FriendKey { bucket: 0, user, place }
    }

    fn on(today: u32) -> Calendar {
        Calendar { today, remembered: 30 }
    }

    #[test]
    fn a_friend_is_one_by_user_and_place_for_as_long_as_is_remembered() {
        let mut bucket = FriendBucket::default();
        bucket.add(&friend(1, 1), on(100));
        assert!(bucket.knows(&friend(1, 1), on(130)));
        assert!(!bucket.knows(&friend(1, 1), on(131)));
        assert!(!bucket.knows(&friend(1, 2), on(100)));
        assert!(!bucket.knows(&friend(2, 1), on(100)));
    }

    #[test]
    fn a_clock_that_was_far_ahead_makes_no_friend_for_longer() {
        let mut bucket = FriendBucket::default();
        bucket.add(&friend(1, 1), on(1000));
        assert!(!bucket.knows(&friend(1, 1), on(100)));
    }

    #[test]
    fn one_user_can_not_push_out_another() {
        let mut bucket = FriendBucket::default();
        bucket.add(&friend(1, 1), on(100));
        for place in 0..1000 {
            bucket.add(&friend(2, place), on(101));
        }
        assert!(bucket.knows(&friend(1, 1), on(101)));
        assert_eq!(bucket.0.len(), 1 + PLACES_OF_ONE);
        assert!(bucket.knows(&friend(2, 999), on(101)), "the newest stay");
    }

    #[test]
    fn a_full_bucket_forgets_whoever_was_there_longest_ago() {
        let mut bucket = FriendBucket::default();
        for user in 0..=64 {
            bucket.add(&friend(user, 1), on(100 + u32::from(user > 0)));
        }
        assert!(!bucket.knows(&friend(0, 1), on(101)));
        assert!((1..=64).all(|user| bucket.knows(&friend(user, 1), on(101))));
    }

    #[test]
    fn who_comes_again_today_changes_nothing() {
        let mut bucket = FriendBucket::default();
        bucket.add(&friend(1, 1), on(100));
        assert!(bucket.is_fresh(&friend(1, 1), on(100)));
        assert!(!bucket.is_fresh(&friend(1, 1), on(101)));
    }

    #[test]
    fn it_survives_as_bytes() {
        let mut bucket = FriendBucket::default();
        (1..20).for_each(|user| bucket.add(&friend(user << 40, user << 50), on(20_000)));
        assert_eq!(FriendBucket::from_bytes(&bucket.to_bytes()), Ok(bucket));
        assert_eq!(FriendBucket::from_bytes(&[]), Ok(FriendBucket::default()));
        assert_eq!(FriendBucket::from_bytes(&[0; 19]), Err(InvalidBucket));
        assert_eq!(FriendBucket::from_bytes(&[0; 65 * ENTRY_BYTES]), Err(InvalidBucket));
    }
}
