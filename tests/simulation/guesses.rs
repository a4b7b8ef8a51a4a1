//! The attempt limits once more, as plain arithmetic over what callers were told: who was told that a guess was wrong must not
//! have had to wait.

use std::{collections::BTreeMap, time::Duration};

use super::{
    model::Login,
    settings::{self, Limit},
};

/// Failures, by what they are counted by and in which process (zero where a fleet counts together).
#[derive(Default)]
pub struct Guesses {
    failures: BTreeMap<(String, usize), (u32, u64)>,
    /// Until when failures may have been forgotten.
    forgotten: BTreeMap<String, Duration>,
}

/// Something that failures are counted by.
pub type Subject = (String, Limit);

pub fn of_login(login: &Login, address: &str) -> [Subject; 3] {
    [
        (identifier(login), settings::IDENTIFIER),
        (format!("address {address}"), settings::ADDRESS),
        (format!("client {}", login.client), settings::CLIENT),
    ]
}

pub fn of_secret(client: &str, address: &str) -> [Subject; 2] {
    [(format!("secret {client}"), settings::CLIENT), (format!("address {address}"), settings::ADDRESS)]
}

fn identifier(login: &Login) -> String {
    format!("identifier {} {}", login.source, login.name)
}

impl Guesses {
    /// Whether one of these had to wait at this time.
    pub fn must_wait(&self, subjects: &[Subject], process: usize, now: u64) -> Option<String> {
        let waits = |(subject, limit): &&Subject| {
            let (failures, last) = self.failures.get(&(subject.clone(), process)).copied().unwrap_or_default();
            wait(limit, remembered(limit, failures, last, now), last, now) > 0
        };
        subjects.iter().find(waits).map(|(subject, _)| subject.clone())
    }

    /// A guess that was made no earlier than `made`, by the wall clock, was told to be wrong. It does not count where a success
    /// may have made it forgotten since it was `sent`.
    pub fn fail(&mut self, subjects: &[Subject], process: usize, made: u64, sent: Duration) {
        let is_counted =
            |(subject, _): &&Subject| self.forgotten.get(subject).is_none_or(|forgotten| *forgotten < sent);
        for (subject, limit) in subjects.iter().filter(is_counted) {
            let known = self.failures.entry((subject.clone(), process)).or_default();
            *known = (remembered(limit, known.0, known.1, made) + 1, made);
        }
    }

    /// A success has, or may have, made the failures forgotten until now.
    pub fn forget_identifier(&mut self, login: &Login, now: Duration) {
        let name = identifier(login);
        self.failures.retain(|(subject, _), _| *subject != name);
        self.forgotten.insert(name, now);
    }

    pub fn forget_all(&mut self) {
        self.failures.clear();
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
