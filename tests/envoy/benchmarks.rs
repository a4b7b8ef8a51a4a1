//! Benchmarks and attacks in Python that are told to end: they leave nothing running, as at any other end.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use crate::support::gateway::poll;

/// What all of them do: an Envoy, and then something that takes long.
const BENCHMARK: &str = "
import time
import gateway
gateway.keys = dict
with gateway.Gateway(gateway.bootstrap()) as envoy:
    print(envoy.process.pid, envoy.state, flush=True)
    time.sleep(600)
";

#[test]
fn a_benchmark_that_is_told_to_end_takes_its_envoy_along() {
    for signal in ["-TERM", "-HUP", "-INT"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench");
        let mut python = Command::new("python3");
        python.args(["-B", "-c", BENCHMARK]).env("PYTHONPATH", folder).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut benchmark = python.spawn().unwrap();
        let mut told = String::new();
        BufReader::new(benchmark.stdout.take().unwrap()).read_line(&mut told).unwrap();
        let (envoy, state) = told.trim().split_once(' ').unwrap_or_else(|| panic!("it tells nothing: {told:?}"));
        assert!(Path::new("/proc").join(envoy).exists());

        assert!(Command::new("kill").args([signal, &benchmark.id().to_string()]).status().unwrap().success());

        poll("the benchmark to end", || benchmark.try_wait().unwrap());
        assert!(!Path::new("/proc").join(envoy).exists(), "{signal}: Envoy runs on");
        assert!(!Path::new(state).exists(), "{signal}");
    }
}
