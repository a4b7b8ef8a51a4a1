//! Answers as bytes: the one place that knows their headers.

use std::sync::Arc;

use serde::Serialize;

use super::{Event, Outcome, Refusal, Step};
use crate::{http::Response, registry::client::Client};

/// A successful answer (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3), in the order of the contract's sample.
#[derive(Serialize)]
pub struct Tokens<'a> {
    pub access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<&'a str>,
    pub token_type: &'static str,
    pub expires_in: u64,
}

#[derive(Serialize)]
struct Error<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// A 200 with tokens. None if they can't be written as JSON.
pub fn tokens(tokens: &Tokens) -> Option<Response> {
    Some(secret_json(200, serde_json::to_vec(tokens).ok()?))
}

/// The last step of an exchange that is refused.
pub fn refused(refusal: Refusal, client: Option<Arc<Client>>) -> Step {
    let (response, event) = self::refusal(refusal, client);
    Step::Reply(response, event)
}

/// The answer to, and the event of, a refusal (RFC 6749 §5.2).
pub fn refusal(refusal: Refusal, client: Option<Arc<Client>>) -> (Response, Event) {
    let (status, error, error_description) = refusal.terms();
    let error = Error { error, error_description: &error_description };
    let body = serde_json::to_vec(&error).unwrap_or_default();
    let mut response = secret_json(status, body);
    response.headers.extend(refusal.header());
    (response, Event { outcome: Outcome::Refused(refusal), client })
}

/// The public keys, to be kept for `max_age` seconds.
pub fn jwks(document: String, max_age: u64) -> Response {
    let cache_control = format!("public, max-age={max_age}");
    Response {
        status: 200,
        headers: vec![("content-type", "application/jwk-set+json".to_owned()), ("cache-control", cache_control)],
        body: document.into_bytes(),
    }
}

/// The methods that a path knows (RFC 9110 §9.3.7).
pub fn methods(allow: &str) -> Response {
    Response { status: 204, headers: vec![("allow", allow.to_owned())], body: Vec::new() }
}

/// JSON that no cache may keep (RFC 6749 §5.1).
fn secret_json(status: u16, body: Vec<u8>) -> Response {
    let headers =
        [("content-type", "application/json;charset=UTF-8"), ("cache-control", "no-store"), ("pragma", "no-cache")];
    let headers = headers.map(|(name, value)| (name, value.to_owned())).into();
    Response { status, headers, body }
}
