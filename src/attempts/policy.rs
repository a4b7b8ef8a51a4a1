//! Who has to wait, and what is counted of a guess: the one policy, whatever the tables are kept in.
//!
//! - A guess counts when it begins, so that many at once are no more than one after another, and is taken back when it was right.
//! - Strangers wait and friends don't: somebody whose password was right a while ago, where he is, is held by his own failures alone.
//! - A success resets nothing that others could read.
//! - One user has one count under all spellings, which is silent: past it a right password is told like a wrong one.

use super::{
    bucket::{Bucket, Counted},
    friends::{Calendar, FriendBucket, FriendKey},
    guess::{Counter, End, Failure, Friend, FriendProof, Guess, Reservation, Settlement, Verdict},
    key::Key,
    store::{Place, Store, change, look},
};
use crate::time::UnixTime;

/// Something that the tables are asked, or told.
pub trait AttemptQuestion: Clone {
    /// What they say to it.
    type Answer: Clone;

    /// The buckets that it is about, each once.
    fn places(&self) -> Vec<Place>;

    /// Those of them that decide nothing: another's change of them meanwhile does not matter.
    fn advisory(&self) -> Vec<Place> {
        Vec::new()
    }

    /// Asks.
    ///
    /// # Errors
    /// The store can't be asked.
    fn ask<S: Store>(&self, store: &S, now: UnixTime) -> Result<Self::Answer, S::Error>;
}

impl AttemptQuestion for Guess {
    type Answer = Verdict;

    fn places(&self) -> Vec<Place> {
        let friend = self.friend.iter().map(|friend| friend.counter.place());
        let counters = [&self.identifier, &self.client].into_iter().chain(&self.networks);
        each_once(counters.map(Counter::place).chain(friend).chain(self.friend_place()))
    }

    fn advisory(&self) -> Vec<Place> {
        let held =
            self.networks.iter().chain([&self.identifier]).chain(self.friend.iter().map(|friend| &friend.counter));
        let held: Vec<_> = held.map(Counter::place).collect();
        let advisory = [self.client.place()].into_iter().chain(self.friend_place());
        advisory.filter(|place| !held.contains(place)).collect()
    }

    fn ask<S: Store>(&self, store: &S, now: UnixTime) -> Result<Verdict, S::Error> {
        let is_crowded = self.client.wait(store, now)? > 0;
        let verdict = match self.as_friend(store, now)? {
            Some(friend) => self.of_friend(friend, store, now)?,
            None => self.of_stranger(store, now)?,
        };
        Ok(match verdict {
            Verdict::Allowed(reservation) => Verdict::Allowed(Reservation { is_crowded, ..reservation }),
            wait @ Verdict::Wait(_) => wait,
        })
    }
}

impl Guess {
    fn as_friend<S: Store>(&self, store: &S, now: UnixTime) -> Result<Option<&Friend>, S::Error> {
        let Some(friend) = &self.friend else { return Ok(None) };
        let is_friend = match &friend.proof {
            FriendProof::Token => true,
            FriendProof::Table(key) => look::<FriendBucket, S>(store, key.place())?.knows(key, self.calendar(now)),
        };
        Ok(is_friend.then_some(friend))
    }

    /// A friend is held by nothing but his own failures, which count for his address too.
    fn of_friend<S: Store>(&self, friend: &Friend, store: &S, now: UnixTime) -> Result<Verdict, S::Error> {
        let counted = match friend.counter.count(store, now)? {
            Ok(counted) => counted,
            Err(wait) => return Ok(Verdict::Wait(wait)),
        };
        let mut networks = Vec::new();
        for network in &self.networks {
            networks.extend(network.count(store, now)?);
        }
        let identifier = vec![counted];
        Ok(Verdict::Allowed(Reservation { is_friend: true, identifier, networks, ..Reservation::default() }))
    }

    /// While any of its limits is reached, nothing is counted.
    fn of_stranger<S: Store>(&self, store: &S, now: UnixTime) -> Result<Verdict, S::Error> {
        let held: Vec<_> = self.networks.iter().chain([&self.identifier]).collect();
        let wait = longest_wait(held.iter().copied(), store, now)?;
        if wait > 0 {
            return Ok(Verdict::Wait(wait));
        }
        let mut counted = Vec::new();
        for counter in held {
            match counter.count(store, now)? {
                Ok(count) => counted.push(count),
                Err(wait) => return give_back(&counted, store).map(|()| Verdict::Wait(wait)),
            }
        }
        let identifier = counted.split_off(self.networks.len());
        Ok(Verdict::Allowed(Reservation { identifier, networks: counted, ..Reservation::default() }))
    }

    fn friend_key(&self) -> Option<&FriendKey> {
        match &self.friend.as_ref()?.proof {
            FriendProof::Table(key) => Some(key),
            FriendProof::Token => None,
        }
    }

    fn friend_place(&self) -> Option<Place> {
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
    /// Whether what came of it may be told.
    type Answer = bool;

    fn places(&self) -> Vec<Place> {
        let counted = self.reservation.identifier.iter().chain(&self.reservation.networks);
        let counted = counted.map(|(key, _)| Place::Attempts(key.bucket));
        let (user, others) = match &self.end {
            End::Wrong { user } => (Some(user.place()), Some(self.guess.client.place())),
            End::Right { user } => (Some(user.place()), self.guess.friend_place()),
            End::Unknown { .. } => (None, None),
        };
        each_once(counted.chain(user).chain(others))
    }

    fn ask<S: Store>(&self, store: &S, now: UnixTime) -> Result<bool, S::Error> {
        match &self.end {
            End::Wrong { user } => {
                // Past a limit nothing is counted, which is no reason to tell anything else.
                let _ = user.count(store, now)?;
                let _ = self.guess.client.count(store, now)?;
                Ok(true)
            }
            End::Right { user } => self.right(user, store, now),
            End::Unknown { by_record } => {
                give_back(&self.reservation.identifier, store)?;
                if !by_record {
                    give_back(&self.reservation.networks, store)?;
                }
                Ok(true)
            }
        }
    }
}

impl Settlement {
    /// Too many wrong passwords under too many spellings: who is no friend learns nothing from a right one.
    fn right<S: Store>(&self, user: &Counter, store: &S, now: UnixTime) -> Result<bool, S::Error> {
        if !self.reservation.is_friend && user.wait(store, now)? > 0 {
            return Ok(false);
        }
        give_back(&self.reservation.identifier, store)?;
        give_back(&self.reservation.networks, store)?;
        self.guess.befriend(store, now)?;
        Ok(true)
    }
}

impl AttemptQuestion for Failure {
    /// The seconds to wait: none where the failure was counted.
    type Answer = u64;

    fn places(&self) -> Vec<Place> {
        each_once(self.networks.iter().map(Counter::place))
    }

    fn ask<S: Store>(&self, store: &S, now: UnixTime) -> Result<u64, S::Error> {
        let wait = longest_wait(&self.networks, store, now)?;
        if wait > 0 {
            return Ok(wait);
        }
        let mut longest = 0;
        for network in &self.networks {
            longest = network.count(store, now)?.err().unwrap_or(0).max(longest);
        }
        Ok(longest)
    }
}

impl Counter {
    fn place(&self) -> Place {
        Place::Attempts(self.key.bucket)
    }

    fn wait<S: Store>(&self, store: &S, now: UnixTime) -> Result<u64, S::Error> {
        Ok(look::<Bucket, S>(store, self.place())?.wait(self.key.tag, &self.limit, now))
    }

    fn count<S: Store>(&self, store: &S, now: UnixTime) -> Result<Result<(Key, Counted), u64>, S::Error> {
        let counted = change(store, self.place(), |bucket: &mut Bucket| bucket.count(self.key.tag, &self.limit, now))?;
        Ok(counted.map(|counted| (self.key, counted)))
    }
}

impl FriendKey {
    fn place(&self) -> Place {
        Place::Friends(self.bucket)
    }
}

fn longest_wait<'a, S: Store>(
    counters: impl IntoIterator<Item = &'a Counter>,
    store: &S,
    now: UnixTime,
) -> Result<u64, S::Error> {
    counters.into_iter().try_fold(0, |longest, counter| Ok(counter.wait(store, now)?.max(longest)))
}

fn give_back<S: Store>(counted: &[(Key, Counted)], store: &S) -> Result<(), S::Error> {
    counted.iter().try_for_each(|(key, counted)| {
        change(store, Place::Attempts(key.bucket), |bucket: &mut Bucket| bucket.give_back(*counted))
    })
}

fn each_once(places: impl IntoIterator<Item = Place>) -> Vec<Place> {
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests;
