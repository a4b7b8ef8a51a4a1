//! Starting a server that must be told its ports.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Child,
    thread,
    time::{Duration, Instant},
};

/// Far longer than a start takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Another program may take a port that was free a moment ago.
const TRIES: u32 = 10;

/// Starts a server on free ports. `start` gives none if it ended.
pub fn on_free_ports<const N: usize, T>(start: impl Fn([u16; N]) -> Option<T>) -> T {
    (0..TRIES).find_map(|_| start(free_ports())).expect("a server on free ports")
}

fn free_ports<const N: usize>() -> [u16; N] {
    let free = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    free.map(|listener| listener.local_addr().unwrap().port())
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
