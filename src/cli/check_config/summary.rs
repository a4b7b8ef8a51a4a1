//! A few lines on a configuration that is good, so that an operator sees that it is the one that was meant.

use crate::{
    config::Configuration,
    crypto::{jws::SigningKey, key_ring::KeyState},
    registry::{
        auth_source::{AuthSource, Directory},
        client::{Authentication, Client},
        web_origin::WebOrigin,
    },
    time::UnixTime,
};

/// The issuer, the keys that sign, clients and auth sources, and what may not be meant.
pub(crate) fn of(configuration: &Configuration, now: UnixTime) -> String {
    let endpoint = &configuration.endpoint;
    let mut lines = vec![format!("issuer: {}", endpoint.terms.issuer)];
    lines.extend(endpoint.keys.states(now).map(|(key, state)| of_key(key, state)));
    lines.extend(sorted(endpoint.registry.clients.values().map(|client| of_client(client))));
    lines.extend(sorted(endpoint.registry.auth_sources.values().map(|source| of_auth_source(source))));
    lines.extend(configuration.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n")
}

fn of_key(key: &SigningKey, state: KeyState) -> String {
    let state = match state {
        KeyState::Next { from } => format!("next: published, signs from {from}"),
        KeyState::Active { until: None } => "active".to_owned(),
        KeyState::Active { until: Some(until) } => format!("active until {until}"),
        KeyState::Retired { until: None } => "retired: published".to_owned(),
        KeyState::Retired { until: Some(until) } => format!("retired: published until {until}"),
        KeyState::Gone => "gone: may be removed".to_owned(),
    };
    format!("signing key: {:?}, kid {}, {state}", key.algorithm(), key.kid())
}

fn of_client(client: &Client) -> String {
    let kind = match &client.authentication {
        Authentication::Secret(secrets) => format!("web, secrets: {}", secrets.len()),
        Authentication::Public => "public".to_owned(),
    };
    let pages: Vec<_> = client.allowed_origins.iter().map(WebOrigin::as_str).collect();
    let pages = if pages.is_empty() { String::new() } else { format!(", pages of {}", pages.join(", ")) };
    format!("client: {} ({kind}{pages})", client.id)
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
