//! The demo gateway through the eyes of an OpenID Connect library that nobody here wrote: `oidc_client.py` is the client.

use std::process::Command;

use crate::support::gateway::Gateway;

#[test]
fn a_public_library_discovers_logs_in_renews_asks_and_revokes() {
    let gateway = Gateway::start();
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/oidc/bin/python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envoy/oidc_client.py");

    let output = Command::new(python)
        .args([script, "https://gateway.example.com", &gateway.address().to_string()])
        .args(["TENANT_CLIENT_ID", "TENANT_CLIENT_SECRET", "MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID"])
        .args(["MOCK_USERNAME", "MOCK_PASSWORD"])
        .output()
        .unwrap_or_else(|error| panic!("{python}: {error}: run these tests by `make test`"));

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(gateway.upstream_requests(), 0);
}
