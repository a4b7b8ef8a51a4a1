//! A directory that goes away while people log in, and comes back.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    directories::{PASSWORD, WRONG, assert_unavailable, log_in},
    gateway::Gateway,
};

/// What twenty logins a second met while the directory was there, then was not, and then was again.
#[derive(Debug)]
pub struct Outage {
    /// When each was sent, and what it was answered with.
    pub logins: Vec<(Instant, u16)>,
    pub gone: Instant,
    pub back: Instant,
}

impl Outage {
    /// The statuses of logins with the right password that were sent while the directory was away.
    pub fn statuses_without_the_directory(&self) -> Vec<u16> {
        let during = self.logins.iter().filter(|(sent, _)| (self.gone..self.back).contains(sent));
        let mut statuses: Vec<_> = during.map(|(_, status)| *status).collect();
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// How long the directory was back when the first login succeeded.
    pub fn until_served(&self) -> Duration {
        let served = self.logins.iter().find(|(sent, status)| *sent >= self.back && *status == 200);
        served.expect("service after the outage").0 - self.back
    }
}

/// Lets a directory be there for a second, be away for some, and come back, while people log in. A wrong password is never right.
pub fn live_through_an_outage<D>(
    gateway: &Gateway,
    auth_source: &str,
    mut directory: D,
    go_away: impl FnOnce(&mut D),
    come_back: impl FnOnce(&mut D),
) -> Outage {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients = (0..4).map(|client| {
            scope.spawn({
                let over = &over;
                move || log_in_until(over, client % 2 == 0, gateway, auth_source)
            })
        });
        let clients: Vec<_> = clients.collect();
        thread::sleep(Duration::from_secs(1));
        go_away(&mut directory);
        let gone = Instant::now();
        thread::sleep(length_of_an_outage());
        let back = Instant::now();
        come_back(&mut directory);
        thread::sleep(Duration::from_secs(5));
        over.store(true, Ordering::SeqCst);
        let mut logins: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        logins.sort_unstable();
        Outage { logins, gone, back }
    })
}

/// Five logins a second; those with the right password are told.
pub fn log_in_until(over: &AtomicBool, right: bool, gateway: &Gateway, auth_source: &str) -> Vec<(Instant, u16)> {
    let mut logins = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let sent = Instant::now();
        let answer = log_in(gateway, auth_source, "alice", if right { PASSWORD } else { "WRONG" });
        match answer.status {
            200 => assert!(right, "a wrong password was right"),
            400 => assert!(!right && answer.text() == WRONG, "{answer:?}"),
            _ => assert_unavailable(&answer, "in an outage"),
        }
        if right {
            logins.push((sent, answer.status));
        }
        thread::sleep(Duration::from_millis(200).saturating_sub(sent.elapsed()));
    }
    logins
}

/// Some seconds, or as many as `OUTAGE_SECONDS` says: a minute is what an operator should try.
pub fn length_of_an_outage() -> Duration {
    let seconds = std::env::var("OUTAGE_SECONDS").map_or(6, |seconds| seconds.parse().expect("a number of seconds"));
    Duration::from_secs(seconds)
}
