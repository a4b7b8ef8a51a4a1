//! Answers as bytes: the one place that knows their headers.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    event::{Event, Outcome},
    oauth_error::{ErrorResponse, OAuthError},
    request_context::RequestContext,
    step::Step,
};
use crate::{http::Response, token::presented::AccessToken};

/// A successful answer (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3), in the order that `docs/api.md` has.
#[derive(Serialize)]
pub(super) struct Tokens<'a> {
    pub(crate) access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<&'a str>,
    pub(crate) token_type: &'static str,
    pub(crate) expires_in: u64,
}

#[derive(Serialize)]
struct Error<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// A 200 with tokens. None if they can't be written as JSON.
pub(super) fn tokens(tokens: &Tokens) -> Option<Response> {
    Some(secret_json(200, serde_json::to_vec(tokens).ok()?))
}

/// The last step of an exchange that is refused.
pub(super) fn refused(refusal: OAuthError, about: RequestContext) -> Step {
    let (response, event) = self::refusal(refusal, about);
    Step::Reply(response, event)
}

/// The answer to, and the event of, a refusal (RFC 6749 §5.2).
pub(super) fn refusal(refusal: OAuthError, about: RequestContext) -> (Response, Event) {
    let ErrorResponse { status, error, description, .. } = refusal.response();
    let error = Error { error, error_description: &description };
    let body = serde_json::to_vec(&error).unwrap_or_default();
    let mut response = secret_json(status, body);
    response.headers.extend(refusal.header());
    (response, Event { about, outcome: Outcome::Refused(refusal) })
}

/// A 200 that says nothing but that it is done (RFC 7009 §2.2).
pub(super) fn done(outcome: Outcome, about: RequestContext) -> Step {
    let headers = NOT_KEPT.map(|(name, value)| (name, value.to_owned())).into();
    Step::Reply(Response { status: 200, headers, body: Vec::new() }, Event { about, outcome })
}

/// What a token is good for (RFC 7662 §2.2). None if it can't be written as JSON.
pub(super) fn active(answer: &impl Serialize, about: RequestContext) -> Option<Step> {
    let response = secret_json(200, serde_json::to_vec(answer).ok()?);
    Some(Step::Reply(response, Event { about, outcome: Outcome::Active }))
}

/// All that is told of what is no good token (RFC 7662 §2.2).
pub(super) fn inactive(about: RequestContext) -> Step {
    let response = secret_json(200, br#"{"active":false}"#.to_vec());
    Step::Reply(response, Event { about, outcome: Outcome::Inactive })
}

#[derive(Serialize)]
struct UserInfo<'a> {
    sub: &'a str,
    #[serde(flatten)]
    user: &'a Map<String, Value>,
}

/// The claims of the user whose token this is (OpenID Connect Core §5.3.2). None if they can't be written as JSON.
pub(super) fn user_info(token: &AccessToken, about: RequestContext) -> Option<Step> {
    let claims = UserInfo { sub: &token.subject, user: &token.user };
    let response = secret_json(200, serde_json::to_vec(&claims).ok()?);
    Some(Step::Reply(response, Event { about, outcome: Outcome::UserInfo }))
}

/// Something that everyone may read, and keep for `max_age` seconds.
pub(super) fn document(content_type: &str, document: String, max_age: u64) -> Response {
    let cache_control = format!("public, max-age={max_age}");
    Response {
        status: 200,
        headers: vec![("content-type", content_type.to_owned()), ("cache-control", cache_control)],
        body: document.into_bytes(),
    }
}

/// The methods that a path knows (RFC 9110 §9.3.7), and what else is told who asks for them.
pub(super) fn methods(allow: &str, more: Vec<(&'static str, String)>) -> Response {
    let headers = [vec![("allow", allow.to_owned())], more].concat();
    Response { status: 204, headers, body: Vec::new() }
}

/// JSON that no cache may keep (RFC 6749 §5.1).
fn secret_json(status: u16, body: Vec<u8>) -> Response {
    let content_type = [("content-type", "application/json;charset=UTF-8")];
    let headers = content_type.into_iter().chain(NOT_KEPT).map(|(name, value)| (name, value.to_owned()));
    Response { status, headers: headers.collect(), body }
}

const NOT_KEPT: [(&str, &str); 2] = [("cache-control", "no-store"), ("pragma", "no-cache")];
