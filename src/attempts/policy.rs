//! Who has to wait, and what is counted of a guess: the one policy, whatever the tables are kept in.
//!
//! - A guess is under way from when it begins, and few of one name are at once; one that is never heard of again was a failure.
//! - Strangers wait and friends don't: somebody whose password was right a while ago, where he is, is held by his own failures alone.
//! - A success resets nothing that others could read.
//! - One user has one count under all spellings, which is silent: past it a right password is told like a wrong one.

use super::{
    bucket::CountBucket,
    flights::{FlightBucket, TimeSlot},
    friends::{Calendar, FriendBucket, FriendKey},
    guess::{Counted, End, FailedSecret, Friend, FriendProof, Guess, Reservation, Settlement, Telling, Verdict},
    store::{BucketKey, Store, change, look},
};
use crate::time::UnixTime;

/// Something that the tables are asked, or told.
pub trait AttemptQuestion: Clone {
    /// What they say to it.
    type Answer: Clone;

    /// The buckets that it is about, each once.
    fn places(&self) -> Vec<BucketKey>;

    /// Those of them that decide nothing: another's change of them meanwhile does not matter.
    fn advisory(&self) -> Vec<BucketKey> {
        Vec::new()
    }

    /// Asks.
    ///
    /// # Errors
    /// The store can't be asked.
    fn ask<S: Store>(&self, store: &S, now: UnixTime) -> Result<Self::Answer, S::Error>;
}

/// When to come back where too many guesses at one name are under way, in seconds.
const SOON: u64 = 1;

impl AttemptQuestion for Guess {
    type Answer = Verdict;

    fn places(&self) -> Vec<BucketKey> {
        let counters = self.networks.iter().chain([&self.identifier]).chain(self.friend_counter());
        each_once(counters.flat_map(Counted::places).chain([self.client.failures()]).chain(self.friend_place()))
    }

    fn advisory(&self) -> Vec<BucketKey> {
        let counters = self.networks.iter().chain([&self.identifier]).chain(self.friend_counter());
        let held: Vec<_> = counters.flat_map(Counted::places).collect();
        let advisory = [self.client.failures()].into_iter().chain(self.friend_place());
        advisory.filter(|place| !held.contains(place)).collect()
    }

    fn ask<S: Store>(&self, store: &S, now: UnixTime) -> Result<Verdict, S::Error> {
        let is_friend = self.is_of_friend(store, now)?;
        for counter in self.counted_by(is_friend) {
            counter.count_lost(store, now)?;
        }
        let wait = longest_wait(self.held_by(is_friend), store, now)?;
        if wait > 0 {
            return Ok(Verdict::Wait(wait));
        }
        // The name's counter, or the friend's, is the first, and the only one that can be full.
        for counter in self.counted_by(is_friend) {
            if !counter.begin(store, now)? {
                return Ok(Verdict::Wait(SOON));
            }
        }
        let is_crowded = self.client.wait(store, now)? > 0;
        Ok(Verdict::Allowed(Reservation { is_friend, is_crowded, begun: Some(TimeSlot::of(now)) }))
    }
}

impl Guess {
    fn is_of_friend<S: Store>(&self, store: &S, now: UnixTime) -> Result<bool, S::Error> {
        Ok(match self.friend.as_ref().map(|friend| &friend.proof) {
            None => false,
            Some(FriendProof::Token) => true,
            Some(FriendProof::Table(key)) => {
                look::<FriendBucket, S>(store, key.place())?.knows(key, self.calendar(now))
            }
        })
    }

    /// What can refuse it. A friend is held by nothing but his own failures.
    fn held_by(&self, is_friend: bool) -> impl Iterator<Item = &Counted> {
        self.counted_by(is_friend).take(if is_friend { 1 } else { usize::MAX })
    }

    /// What it counts for: the name, or the friend, and the networks.
    fn counted_by(&self, is_friend: bool) -> impl Iterator<Item = &Counted> {
        let own = self.friend_counter().filter(|_| is_friend).unwrap_or(&self.identifier);
        [own].into_iter().chain(&self.networks)
    }

    fn friend_counter(&self) -> Option<&Counted> {
        self.friend.as_ref().map(|Friend { counter, .. }| counter)
    }

    fn friend_key(&self) -> Option<&FriendKey> {
        match &self.friend.as_ref()?.proof {
            FriendProof::Table(key) => Some(key),
            FriendProof::Token => None,
        }
    }

    fn friend_place(&self) -> Option<BucketKey> {
        self.friend_key().map(FriendKey::place)
    }

    fn calendar(&self, now: UnixTime) -> Calendar {
        let today = now.0.checked_div(86_400).and_then(|today| u32::try_from(today).ok());
        Calendar { today: today.unwrap_or(u32::MAX), remembered: self.friend_days }
    }

    /// Remembers where the password was right.
    fn befriend<S: Store>(&self, store: &S, now: UnixTime) -> Result<(), S::Error> {
        let Some(key) = self.friend_key() else { return Ok(()) };
        let calendar = self.calendar(now);
        change(store, key.place(), |bucket: &mut FriendBucket| {
            if !bucket.is_fresh(key, calendar) {
                bucket.add(key, calendar);
            }
        })
    }
}

impl AttemptQuestion for Settlement {
    type Answer = Telling;

    fn places(&self) -> Vec<BucketKey> {
        let counted = self.guess.counted_by(self.reservation.is_friend).flat_map(Counted::places);
        let (user, others) = match &self.end {
            End::Wrong { user } => (Some(user.failures()), Some(self.guess.client.failures())),
            End::Right { user } => (Some(user.failures()), self.guess.friend_place()),
            End::Unknown { .. } => (None, None),
        };
        each_once(counted.chain(user).chain(others).chain(self.places_of_friend()))
    }

    fn ask<S: Store>(&self, store: &S, now: UnixTime) -> Result<Telling, S::Error> {
        let is_friend = self.is_of_friend(store, now)?;
        let wait = longest_wait(self.guess.held_by(is_friend), store, now)?;
        self.end(store)?;
        match &self.end {
            End::Unknown { by_record } => {
                let networks = self.guess.networks.iter().filter(|_| *by_record);
                fail(networks, store, now)?;
                Ok(Telling::Outcome)
            }
            _ if wait > 0 => Ok(Telling::Wait(wait)),
            End::Wrong { user } => {
                let wait = fail(self.guess.counted_by(is_friend), store, now)?;
                fail([user, &self.guess.client], store, now)?;
                Ok(if wait > 0 { Telling::Wait(wait) } else { Telling::Outcome })
            }
            End::Right { user } => self.right(user, is_friend, store, now),
        }
    }
}

impl Settlement {
    /// Of a guess that was let through while nobody could be asked, only the end can tell.
    fn is_of_friend<S: Store>(&self, store: &S, now: UnixTime) -> Result<bool, S::Error> {
        match self.reservation.begun {
            Some(_) => Ok(self.reservation.is_friend),
            None => self.guess.is_of_friend(store, now),
        }
    }

    /// Where that is looked up at the end, and what then counts.
    fn places_of_friend(&self) -> impl Iterator<Item = BucketKey> {
        let places = self.guess.friend_counter().map(Counted::failures).into_iter().chain(self.guess.friend_place());
        places.filter(|_| self.reservation.begun.is_none())
    }

    /// It is not under way any more.
    fn end<S: Store>(&self, store: &S) -> Result<(), S::Error> {
        let Some(begun) = self.reservation.begun else { return Ok(()) };
        self.guess.counted_by(self.reservation.is_friend).try_for_each(|counter| counter.end(store, begun))
    }

    /// Too many wrong passwords under too many spellings: who is no friend learns nothing from a right one, which is a failure.
    fn right<S: Store>(&self, user: &Counted, is_friend: bool, store: &S, now: UnixTime) -> Result<Telling, S::Error> {
        if !is_friend && user.wait(store, now)? > 0 {
            fail(self.guess.counted_by(false), store, now)?;
            return Ok(Telling::Wrong);
        }
        self.guess.befriend(store, now)?;
        Ok(Telling::Outcome)
    }
}

impl AttemptQuestion for FailedSecret {
    /// The seconds to wait: none where the failure was counted.
    type Answer = u64;

    fn places(&self) -> Vec<BucketKey> {
        each_once(self.networks.iter().map(Counted::failures))
    }

    fn ask<S: Store>(&self, store: &S, now: UnixTime) -> Result<u64, S::Error> {
        match longest_wait(&self.networks, store, now)? {
            0 => fail(&self.networks, store, now),
            wait => Ok(wait),
        }
    }
}

impl Counted {
    fn failures(&self) -> BucketKey {
        BucketKey::Attempts(self.key.bucket)
    }

    fn flights(&self) -> BucketKey {
        BucketKey::Flights(self.key.bucket)
    }

    fn places(&self) -> [BucketKey; 2] {
        [self.failures(), self.flights()]
    }

    fn wait<S: Store>(&self, store: &S, now: UnixTime) -> Result<u64, S::Error> {
        Ok(look::<CountBucket, S>(store, self.failures())?.wait(self.key.tag, &self.limit, now))
    }

    /// Counts a failure, and gives the seconds to wait if there is a wait already: then nothing is counted.
    fn fail<S: Store>(&self, store: &S, now: UnixTime) -> Result<u64, S::Error> {
        change(store, self.failures(), |bucket: &mut CountBucket| {
            bucket.fail(self.key.tag, &self.limit, now).err().unwrap_or(0)
        })
    }

    /// Whether there is room for one more.
    fn begin<S: Store>(&self, store: &S, now: UnixTime) -> Result<bool, S::Error> {
        change(store, self.flights(), |bucket: &mut FlightBucket| {
            let has_room = bucket.under_way(self.key.tag, now) < self.at_once;
            if has_room {
                bucket.begin(self.key.tag, now);
            }
            has_room
        })
    }

    fn end<S: Store>(&self, store: &S, begun: TimeSlot) -> Result<(), S::Error> {
        change(store, self.flights(), |bucket: &mut FlightBucket| bucket.end(self.key.tag, begun))
    }

    /// What is not heard of again was a failure.
    fn count_lost<S: Store>(&self, store: &S, now: UnixTime) -> Result<(), S::Error> {
        let lost = change(store, self.flights(), |bucket: &mut FlightBucket| bucket.take_lost(self.key.tag, now))?;
        let Some((lost, then)) = lost else { return Ok(()) };
        change(store, self.failures(), |bucket: &mut CountBucket| {
            bucket.fail_late(self.key.tag, lost, &self.limit, then)
        })
    }
}

impl FriendKey {
    fn place(&self) -> BucketKey {
        BucketKey::Friends(self.bucket)
    }
}

fn longest_wait<'a, S: Store>(
    counters: impl IntoIterator<Item = &'a Counted>,
    store: &S,
    now: UnixTime,
) -> Result<u64, S::Error> {
    counters.into_iter().try_fold(0, |longest, counter| Ok(counter.wait(store, now)?.max(longest)))
}

/// Counts a failure by each, and gives the longest wait that there was already.
fn fail<'a, S: Store>(
    counters: impl IntoIterator<Item = &'a Counted>,
    store: &S,
    now: UnixTime,
) -> Result<u64, S::Error> {
    counters.into_iter().try_fold(0, |longest, counter| Ok(counter.fail(store, now)?.max(longest)))
}

fn each_once(places: impl IntoIterator<Item = BucketKey>) -> Vec<BucketKey> {
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests;
