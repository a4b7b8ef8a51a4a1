//! The attempt limits once more, as plain arithmetic over what callers were told: who was told that a guess was wrong must not
//! have had to wait, and a friend waits for nobody.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    model::Login,
    settings::{self, Limit},
};

/// Failures and friends, by what they are known by and in which process (zero where a fleet counts together).
#[derive(Default)]
pub struct Guesses {
    failures: BTreeMap<(String, usize), Failures>,
    /// Since when somebody is certainly a friend.
    friends: BTreeMap<(String, usize), Duration>,
    /// Who may be one: the right password may have been there.
    perhaps: BTreeSet<(String, usize)>,
    /// Who may have failed.
    slipped: BTreeSet<(String, usize)>,
}

/// Failures in a row.
#[derive(Clone, Copy, Default)]
struct Failures {
    count: u32,
    /// The wall clock when the last of them was sent.
    last: u64,
    /// When it was answered.
    told: Duration,
}

/// Something that failures are counted by.
pub type Subject = (String, Limit);

/// Of a user who logs in from more places, some are forgotten.
const PLACES_OF_ONE: usize = 8;

/// Whether a login comes from where the password was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Friend,
    Stranger,
    Unknown,
}

pub fn of_secret(address: &str) -> Vec<Subject> {
    vec![(format!("address {address}"), settings::ADDRESS)]
}

/// A client that keeps a secret has no place.
fn place(login: &Login, address: &str) -> Option<String> {
    let is_public = login.client == "APP" || login.client == "GUEST";
    is_public.then(|| format!("friend {} {} {} {address}", login.source, login.name, login.client))
}

impl Guesses {
    /// What holds a login, as far as is known.
    pub fn of_login(&self, login: &Login, address: &str, process: usize, sent: Duration) -> (Standing, Vec<Subject>) {
        let identifier = (format!("identifier {} {}", login.source, login.name), settings::IDENTIFIER);
        let Some(place) = place(login, address) else { return (Standing::Stranger, vec![identifier]) };
        let key = (place.clone(), process);
        match self.friends.get(&key) {
            Some(since) if *since < sent && self.places_of(login, process) <= PLACES_OF_ONE => {
                (Standing::Friend, vec![(place, settings::FRIEND)])
            }
            None if !self.perhaps.contains(&key) => {
                (Standing::Stranger, vec![identifier, (format!("address {address}"), settings::ADDRESS)])
            }
            _ => (Standing::Unknown, Vec::new()),
        }
    }

    /// Where somebody may be known for a friend.
    fn places_of(&self, login: &Login, process: usize) -> usize {
        let user = format!("friend {} {} ", login.source, login.name);
        self.perhaps.iter().filter(|(place, known)| *known == process && place.starts_with(&user)).count()
    }

    /// A login is sent: nobody can be sure of strangers any more where its password may be right, nor that nothing fails.
    pub fn begin(&mut self, login: &Login, address: &str, process: usize) {
        let Some(place) = place(login, address) else { return };
        if login.password == "wrong" {
            self.slipped.insert((place, process));
        } else {
            self.perhaps.insert((place, process));
        }
    }

    /// A login came to something else than that the password was right.
    pub fn slip(&mut self, login: &Login, address: &str, process: usize) {
        self.slipped.extend(place(login, address).map(|place| (place, process)));
    }

    /// The password was right, which is certainly remembered.
    pub fn befriend(&mut self, login: &Login, address: &str, process: usize, now: Duration) {
        if let Some(place) = place(login, address) {
            self.friends.entry((place, process)).or_insert(now);
        }
    }

    /// Whether somebody is a friend who has never failed.
    pub fn is_blameless(&self, login: &Login, address: &str, process: usize, sent: Duration) -> bool {
        let is_friend = self.of_login(login, address, process, sent).0 == Standing::Friend;
        is_friend && place(login, address).is_some_and(|place| !self.slipped.contains(&(place, process)))
    }

    /// Whether one of these has to wait at this time, for failures that were told before `told`.
    pub fn must_wait(&self, subjects: &[Subject], process: usize, now: u64, told: Duration) -> Option<String> {
        let waits = |(subject, limit): &&Subject| {
            let Failures { count, last, told: last_told } =
                self.failures.get(&(subject.clone(), process)).copied().unwrap_or_default();
            last_told < told && wait(limit, remembered(limit, count, last, now), last, now) > 0
        };
        subjects.iter().find(waits).map(|(subject, _)| subject.clone())
    }

    /// A guess was told to be wrong that was counted no earlier than `made` and no later than `now`, by the wall clock: what leaks
    /// away until then does not count, and its own wait runs from the earliest time.
    pub fn fail(&mut self, subjects: &[Subject], process: usize, (made, now): (u64, u64), told: Duration) {
        for (subject, limit) in subjects {
            let known = self.failures.entry((subject.clone(), process)).or_default();
            *known = Failures { count: remembered(limit, known.count, known.last, now) + 1, last: made, told };
        }
    }

    /// Nobody knows any more who has to wait, nor who is a friend.
    pub fn forget_all(&mut self) {
        self.failures.clear();
        let friends = std::mem::take(&mut self.friends);
        self.perhaps.extend(friends.into_keys());
    }
}

fn remembered(limit: &Limit, failures: u32, last: u64, now: u64) -> u32 {
    let elapsed = now.saturating_sub(last);
    if elapsed >= limit.forget {
        return 0;
    }
    failures.saturating_sub(u32::try_from(elapsed * u64::from(limit.failures) / limit.forget).unwrap())
}

fn wait(limit: &Limit, failures: u32, last: u64, now: u64) -> u64 {
    let Some(doublings) = failures.checked_sub(limit.failures) else { return 0 };
    let wait = limit.wait.saturating_mul(1 << doublings.min(20)).min(limit.max_wait);
    (last + wait).saturating_sub(now)
}
