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
    failures: BTreeMap<(String, usize), (u32, u64)>,
    /// Since when somebody is certainly a friend.
    friends: BTreeMap<(String, usize), Duration>,
    /// Who may be one: the right password may have been there.
    perhaps: BTreeSet<(String, usize)>,
    /// Who may have failed.
    slipped: BTreeSet<(String, usize)>,
}

/// Something that failures are counted by.
pub type Subject = (String, Limit);

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
            Some(since) if *since < sent => (Standing::Friend, vec![(place, settings::FRIEND)]),
            None if !self.perhaps.contains(&key) => {
                (Standing::Stranger, vec![identifier, (format!("address {address}"), settings::ADDRESS)])
            }
            _ => (Standing::Unknown, Vec::new()),
        }
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

    /// Whether one of these had to wait at this time.
    pub fn must_wait(&self, subjects: &[Subject], process: usize, now: u64) -> Option<String> {
        let waits = |(subject, limit): &&Subject| {
            let (failures, last) = self.failures.get(&(subject.clone(), process)).copied().unwrap_or_default();
            wait(limit, remembered(limit, failures, last, now), last, now) > 0
        };
        subjects.iter().find(waits).map(|(subject, _)| subject.clone())
    }

    /// A guess that was made no earlier than `made`, by the wall clock, was told to be wrong.
    pub fn fail(&mut self, subjects: &[Subject], process: usize, made: u64) {
        for (subject, limit) in subjects {
            let known = self.failures.entry((subject.clone(), process)).or_default();
            *known = (remembered(limit, known.0, known.1, made) + 1, made);
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
