//! The demo's sample application in a real Chromium, on an origin of its own: `browser.py` is the person in front of it.

use std::process::Command;

use crate::support::gateway::{self, Gateway, Keys};

#[test]
fn a_person_with_a_browser_is_served_in_words() {
    let (yaml, sample) = gateway::demo_with_sample();
    let gateway = Gateway::start_with(&yaml, Keys::of_this_run());
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/browser/bin/python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envoy/browser.py");

    let output = Command::new(python)
        .args(["-B", script, &format!("http://localhost:{sample}"), &format!("http://{}", gateway.address())])
        .output()
        .unwrap_or_else(|error| panic!("{python}: {error}: run these tests by `make test`"));

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
