//! A few lines on a configuration that is good, so that an operator sees that it is the one that was meant.

use crate::{
    endpoint::Endpoint,
    registry::{
        auth_source::{AuthSource, Directory},
        client::{Authentication, Client},
    },
};

/// The issuer, the key that signs, clients and auth sources.
pub fn of(endpoint: &Endpoint) -> String {
    let key = &endpoint.signing_key;
    let mut lines = vec![
        format!("issuer: {}", endpoint.terms.issuer),
        format!("signing key: {:?}, kid {}", key.algorithm(), key.kid()),
    ];
    lines.extend(sorted(endpoint.registry.clients.values().map(|client| of_client(client))));
    lines.extend(sorted(endpoint.registry.auth_sources.values().map(|source| of_auth_source(source))));
    lines.join("\n")
}

fn of_client(client: &Client) -> String {
    let kind = match &client.authentication {
        Authentication::Secret(secrets) => format!("web, secrets: {}", secrets.len()),
        Authentication::Public => "public".to_owned(),
    };
    format!("client: {} ({kind})", client.id)
}

fn of_auth_source(source: &AuthSource) -> String {
    let directory = match &source.directory {
        Directory::Users(users) => format!("users: {}", users.len()),
        Directory::Lookup(_) => "lookup".to_owned(),
        Directory::Snapshot(_) => "snapshot".to_owned(),
        Directory::Verify(_) => "verify".to_owned(),
    };
    format!("auth source: {} ({directory})", source.id)
}

/// In the order of their ids, since a table has none.
fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    lines
}
