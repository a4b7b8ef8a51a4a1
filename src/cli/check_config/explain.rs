//! What the directories outside and the state store will be sent and how their answers will be read, so that an operator
//! can compare it with what is expected there. Nothing of it is secret.

use std::time::Duration;

use super::summary;
use crate::{
    config::Configuration,
    endpoint::OnStoreFailure,
    registry::{
        auth_source::{AuthSource, Directory},
        identifier::{Identifier, IdentifierKind},
        remote::{
            AnswerPart, CallLimits, CredentialsForm, Format, HeaderValue, Lookup, PART, Snapshot, Template, Upstream,
            UserMapping, Values, Verify,
        },
    },
    secret::Secret,
    state::etcd::Etcd,
    time::UnixTime,
};

/// The summary, and all that is sent.
pub(crate) fn of(configuration: &Configuration, now: UnixTime) -> String {
    let endpoint = &configuration.endpoint;
    let mut sources: Vec<_> = endpoint.registry.auth_sources.values().collect();
    sources.sort_unstable_by_key(|source| &source.id);
    let explained = sources.into_iter().filter_map(|source| Some((source, lines(source)?)));
    let explained = explained.map(|(source, lines)| section(&source.id, &lines));
    let store = configuration.etcd.as_ref().map(|etcd| section("state store", &of_etcd(etcd, configuration)));
    summary::of(configuration, now) + &explained.chain(store).collect::<String>()
}

fn section(name: &str, lines: &[String]) -> String {
    format!("\n\n{name}:\n  {}", lines.join("\n  "))
}

fn of_etcd(etcd: &Etcd, configuration: &Configuration) -> Vec<String> {
    let Etcd { cluster, authority, path_prefix, authorization, key_prefix, limits } = etcd;
    let authorization = authorization.as_ref().map(of_authorization);
    let headers: Vec<_> = ["content-type".to_owned()].into_iter().chain(authorization).collect();
    let mut keys = vec!["families/{family}", "origins/{family}", "graces/{family}", "denied/{jti}"];
    keys.extend(configuration.shared_attempts.as_ref().map(|_| "attempts/{number}"));
    let keys: Vec<_> = keys.iter().map(|key| format!("{key_prefix}{key}")).collect();
    let otherwise = match configuration.endpoint.rotation.on_store_failure {
        OnStoreFailure::Refuse => "503",
        OnStoreFailure::Allow => "tokens are taken for good, and nobody has to wait",
    };
    vec![
        format!("asks the cluster {cluster}"),
        format!("POST {authority}{path_prefix}/kv/txn, and {path_prefix}/lease/grant where a lease is missing"),
        format!("headers: {}", headers.join(", ")),
        format!("keys: {}", keys.join(", ")),
        costs(limits),
        format!("while it can't be asked: {otherwise}"),
    ]
}

fn lines(source: &AuthSource) -> Option<Vec<String>> {
    match &source.directory {
        Directory::Users(_) => None,
        Directory::Lookup(lookup) => Some(of_lookup(source, lookup)),
        Directory::Snapshot(snapshot) => Some(of_snapshot(source, snapshot)),
        Directory::Verify(verify) => Some(of_verify(source, verify)),
    }
}

fn of_lookup(source: &AuthSource, lookup: &Lookup) -> Vec<String> {
    let mut lines = call(source, &lookup.upstream, &[]);
    lines.push(costs(&lookup.limits));
    lines.extend(
        lookup
            .cache
            .map(|cache| format!("keeps {} answers at most, each for {}", cache.max_entries, seconds(cache.max_age))),
    );
    lines.push(format!(
        "2xx is a user, at {}: {}",
        place(&lookup.at),
        fields(&lookup.mapping, Some(&lookup.password_hash))
    ));
    let nobody = format!("2xx with nothing, null or an empty list at {}", place(&lookup.at));
    lines.push(format!("no such user is {}", list(&lookup.not_found, Some(nobody))));
    lines.push(OTHERWISE.to_owned());
    lines
}

fn of_snapshot(source: &AuthSource, snapshot: &Snapshot) -> Vec<String> {
    let more = ["range".to_owned(), "if-none-match (the last document's etag, where it had one)".to_owned()];
    let mut lines = call(source, &snapshot.upstream, &more);
    let format = match snapshot.format {
        Format::Json => "JSON, {\"users\": […]} or […]",
        Format::JsonLines => "JSON lines",
    };
    lines.extend([
        format!("every {} by one worker, within {}", seconds(snapshot.refresh_interval), seconds(snapshot.timeout)),
        format!("200 is a document: {format}, {} bytes at most", snapshot.max_bytes),
        format!(
            "206 is a part of one; the next is asked for by range and if-match, {PART} bytes at a time if it has a strong etag"
        ),
        "304 is the same document still".to_owned(),
        "anything else, or a document with a bad record, leaves the last good one; without one: 503".to_owned(),
    ]);
    lines
}

fn of_verify(source: &AuthSource, verify: &Verify) -> Vec<String> {
    let basic = "authorization (Basic, from {identifier} and {password})".to_owned();
    let more = if verify.credentials == CredentialsForm::Basic { vec![basic] } else { Vec::new() };
    let mut lines = call(source, &verify.upstream, &more);
    lines.push(costs(&verify.limits));
    let whence = match verify.source {
        AnswerPart::Nothing => "",
        AnswerPart::Body => " in the body",
        AnswerPart::Headers => " in the headers",
    };
    lines.push(format!("2xx is the right password; of the user{whence}: {}", fields(&verify.mapping, None)));
    lines.push(format!("a wrong password or no such user is {}", list(&verify.refused, None)));
    lines.push(OTHERWISE.to_owned());
    lines
}

const OTHERWISE: &str = "anything else is a directory that can't be asked: 503";

fn call(source: &AuthSource, upstream: &Upstream, more_headers: &[String]) -> Vec<String> {
    let mut lines = vec![
        format!("asks the cluster {}", upstream.cluster),
        format!("{} {}", upstream.method.name(), upstream.path),
        format!("such as {}{}", upstream.authority, path_of(source, upstream)),
        format!("headers: {}", headers(upstream, more_headers)),
    ];
    lines.extend(upstream.body.as_ref().map(|body| format!("body: {body}")));
    lines
}

fn path_of(source: &AuthSource, upstream: &Upstream) -> String {
    let identifier = sample(source);
    let values = Values { auth_source_id: &source.id, identifier: Some(&identifier), password: None };
    let path = upstream.path.expand(&values);
    path.map(|path| String::from_utf8_lossy(path.expose()).into_owned()).unwrap_or_default()
}

/// Someone of the first kind that may log in there.
fn sample(source: &AuthSource) -> Identifier {
    let kind = source.identifiers.kinds.first().copied().unwrap_or(IdentifierKind::Username);
    let value = match kind {
        IdentifierKind::Username => "alice",
        IdentifierKind::PhoneNumber => "+15550100",
        IdentifierKind::Email => "alice@example.com",
    };
    Identifier { kind, value: value.to_owned() }
}

fn headers(upstream: &Upstream, more: &[String]) -> String {
    let authorization = upstream.authorization.as_ref().map(of_authorization);
    let headers = upstream.headers.iter().map(|(name, value)| header(name, value));
    let headers: Vec<_> = headers.chain(authorization).chain(more.iter().cloned()).collect();
    if headers.is_empty() { "none".to_owned() } else { headers.join(", ") }
}

/// A header's name, and what its value is made of; what is written in the value may be a secret, whatever its name.
fn header(name: &str, value: &HeaderValue) -> String {
    match value {
        HeaderValue::Secret(_) => format!("{name} (secret)"),
        HeaderValue::Template(template) => match placeholders(template) {
            from if from.is_empty() => name.to_owned(),
            from => format!("{name} (from {from})"),
        },
    }
}

fn placeholders(template: &Template) -> String {
    let names: Vec<_> = template.placeholders().map(|placeholder| placeholder.to_string()).collect();
    names.join(" and ")
}

fn of_authorization(value: &Secret) -> String {
    let scheme = if value.expose().starts_with(b"Basic ") { "Basic" } else { "Bearer" };
    format!("authorization ({scheme}, secret)")
}

fn costs(limits: &CallLimits) -> String {
    format!(
        "within {}, {} bytes and {} calls at a time; left alone for {} after {} failures in a row",
        seconds(limits.timeout),
        limits.max_response_bytes,
        limits.max_concurrent,
        seconds(limits.circuit_open),
        limits.circuit_failures,
    )
}

fn seconds(span: Duration) -> String {
    format!("{}s", span.as_secs_f64())
}

fn fields(mapping: &UserMapping, password_hash: Option<&str>) -> String {
    let mut fields = vec![format!("id {}", mapping.id.as_deref().unwrap_or("is the identifier"))];
    fields.extend(password_hash.map(|at| format!("password_hash {at}")));
    fields.push(mapping.status.as_ref().map_or_else(
        || "always active".to_owned(),
        |status| format!("status {}, active if it is {}", status.at, serde_json::json!(status.active)),
    ));
    fields.extend(mapping.claims.iter().map(|(name, at)| format!("claim {name} {at}")));
    fields.join("; ")
}

fn list(statuses: &[u16], more: Option<String>) -> String {
    let ways: Vec<_> = statuses.iter().map(u16::to_string).chain(more).collect();
    if ways.is_empty() { "never told".to_owned() } else { ways.join(" or ") }
}

fn place(at: &str) -> &str {
    if at.is_empty() { "the top" } else { at }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config;

    const KEY: &str = include_str!("../../../tests/vectors/rfc7515-a3.pem");

    fn explained(sources: &Value) -> String {
        explained_with(sources, &Value::Null, &Value::Null)
    }

    fn explained_with(sources: &Value, state: &Value, attempt_limits: &Value) -> String {
        let document = json!({
            "issuer": "https://gateway.example.com",
            "signing_keys": [{"algorithm": "ES256", "private_key": KEY}],
            "auth_sources": sources,
            "state": state,
            "attempt_limits": attempt_limits,
            "clients": [{"id": "SPA", "type": "spa", "auth_sources": ["A"], "grants": ["password"]}],
        });
        let secret = |_: &str| Some("hunter2".to_owned());
        let configuration = config::parse(document.to_string().as_bytes(), &secret, UnixTime(0)).unwrap();
        let text = of(&configuration, UnixTime(0));
        assert!(!text.contains("hunter2"), "{text}");
        text.split_once("\n\n").unwrap().1.to_owned()
    }

    #[test]
    fn a_lookup_is_told_with_an_example_and_without_secrets() {
        let lookup = json!({
            "cluster": "directory", "authority": "directory.internal", "method": "POST",
            "path": "/{auth_source_id}?name={identifier}",
            "headers": {"x-source": "{auth_source_id}", "x-fixed": "hunter2", "x-key": {"env": "KEY"}},
            "body": "{\"name\": {identifier}}", "authorization": {"bearer": {"env": "TOKEN"}},
            "user": {"at": "/rows/0", "id": "/id", "password_hash": "/hash", "status": "/status", "active": ["on", 1],
                     "claims": {"name": "/display_name"}},
            "cache": {},
        });
        let expected = "\
A:
  asks the cluster directory
  POST /{auth_source_id}?name={identifier}
  such as directory.internal/A?name=alice%40example.com
  headers: x-source (from {auth_source_id}), x-fixed, x-key (secret), accept, content-type, authorization (Bearer, secret)
  body: {\"name\": {identifier}}
  within 2s, 65536 bytes and 64 calls at a time; left alone for 10s after 5 failures in a row
  keeps 1000 answers at most, each for 10s
  2xx is a user, at /rows/0: id /id; password_hash /hash; status /status, active if it is [\"on\",1]; claim name /display_name
  no such user is 404 or 2xx with nothing, null or an empty list at /rows/0
  anything else is a directory that can't be asked: 503";
        let explained = explained(&json!([{"id": "A", "identifiers": ["email"], "lookup": lookup}]));
        let order = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.iter_mut().filter(|line| line.starts_with("  headers: ")).for_each(|line| {
                let mut words: Vec<_> = line.trim_start_matches("  headers: ").split(", ").map(str::to_owned).collect();
                words.sort();
                *line = words.join(", ");
            });
            lines
        };
        assert_eq!(order(&explained), order(expected));
    }

    #[test]
    fn so_is_a_verify() {
        let verify = json!({"cluster": "directory", "path": "/check"});
        let expected = "\
A:
  asks the cluster directory
  GET /check
  such as directory/check
  headers: authorization (Basic, from {identifier} and {password})
  within 2s, 65536 bytes and 64 calls at a time; left alone for 10s after 5 failures in a row
  2xx is the right password; of the user: id is the identifier; always active
  a wrong password or no such user is 401 or 403
  anything else is a directory that can't be asked: 503";
        assert_eq!(explained(&json!([{"id": "A", "identifiers": ["username"], "verify": verify}])), expected);
    }

    #[test]
    fn so_is_a_snapshot() {
        let snapshot = json!({
            "cluster": "files", "path": "/{auth_source_id}.jsonl", "format": "json_lines", "timeout": "20s",
            "headers": {"x-fixed": "hunter2"}, "authorization": {"basic": {"username": "me", "password": {"env": "KEY"}}},
            "refresh_interval": "30s", "max_bytes": 1_000_000,
        });
        let expected = "\
A:
  asks the cluster files
  GET /{auth_source_id}.jsonl
  such as files/A.jsonl
  headers: x-fixed, accept, authorization (Basic, secret), range, if-none-match (the last document's etag, where it had one)
  every 30s by one worker, within 20s
  200 is a document: JSON lines, 1000000 bytes at most
  206 is a part of one; the next is asked for by range and if-match, 1048576 bytes at a time if it has a strong etag
  304 is the same document still
  anything else, or a document with a bad record, leaves the last good one; without one: 503";
        assert_eq!(explained(&json!([{"id": "A", "identifiers": ["username"], "snapshot": snapshot}])), expected);
    }

    #[test]
    fn users_in_the_configuration_are_not_asked_for() {
        let source = |id: &str| json!({"id": id, "identifiers": ["username"], "users": []});
        let remote = json!({"id": "Z", "identifiers": ["username"], "verify": {"cluster": "c", "path": "/"}});
        assert!(explained(&json!([source("A"), remote])).starts_with("Z:"));
    }
    #[test]
    fn the_state_store_is_told_after_them() {
        let sources = json!([{"id": "A", "identifiers": ["username"], "users": []}]);
        let etcd = json!({"cluster": "etcd", "authorization": {"bearer": {"env": "TOKEN"}}});
        let expected = "\
state store:
  asks the cluster etcd
  POST etcd/v3/kv/txn, and /v3/lease/grant where a lease is missing
  headers: content-type, authorization (Bearer, secret)
  keys: token-endpoint/families/{family}, token-endpoint/origins/{family}, token-endpoint/graces/{family}, \
   token-endpoint/denied/{jti}
  within 1s, 65536 bytes and 1000 calls at a time; left alone for 10s after 5 failures in a row
  while it can't be asked: 503";
        assert_eq!(explained_with(&sources, &json!({"etcd": etcd}), &Value::Null), expected);

        let state = json!({"etcd": {"cluster": "etcd", "key_prefix": "a/"}, "on_store_failure": "allow"});
        let explained = explained_with(&sources, &state, &json!({"store": "etcd"}));
        assert!(explained.contains(", a/graces/{family}, a/denied/{jti}, a/attempts/{number}\n"), "{explained}");
        assert!(explained.ends_with(": tokens are taken for good, and nobody has to wait"), "{explained}");
    }
}
