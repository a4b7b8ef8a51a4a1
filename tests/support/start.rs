//! Starting a server that must be told its ports: those that it keeps while it is away, too.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Child,
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Far longer than a start takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Another program may take a port that was free a moment ago.
const TRIES: u32 = 10;

/// Starts a server on free ports. `start` gives none if it ended.
pub fn on_free_ports<const N: usize, T>(start: impl Fn([u16; N]) -> Option<T>) -> T {
    (0..TRIES).find_map(|_| start([(); N].map(|()| free_port()))).expect("a server on free ports")
}

/// A port that is free, and that nobody is given who asks for any: those begin at 32768. No two tests of a run get the same.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap();
    let mut ports = std::iter::from_fn(|| Some(20_000 + (first + TAKEN.fetch_add(1, Ordering::Relaxed)) % 10_000));
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap()
}

/// Whether a server is ready after a while; false if it ended.
pub fn becomes_ready(process: &mut Child, log: &Path, is_ready: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while !is_ready() {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for a server:\n{}", fs::read_to_string(log).unwrap());
        thread::sleep(Duration::from_millis(20));
    }
    true
}
