//! What the directories that are asked over HTTP have in common: where they are, how they are called, and for how long.

pub(super) mod fields;

use std::time::Duration;

use self::fields::{
    AnswerFields, AuthorizationFields, BasicFields, CallFields, CircuitFields, DEFAULT_BODY, DEFAULT_LIMITS,
    RequestFields, UpstreamFields,
};
use super::{
    bounds::{whole_seconds, within},
    context::Environment,
    document::{Node, Object},
    keys::secret,
    remote::fields::{LookupFields, VerifyFields},
    setting::{Span, Text},
    shape::Field,
};
use crate::{
    outbound::CallLimits,
    registry::remote::{HeaderValue, HttpMethod, Placeholder, Template, Upstream, UrlPart},
    secret::Secret,
    text::basic,
};

/// The kinds of calls, which differ in what they may send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// For a user, by identifier; with any method.
    Lookup,
    /// For a document; nobody's identifier is known.
    Snapshot,
    /// With the password as HTTP Basic.
    Basic,
    /// With the password in the body.
    Json,
}

/// Reads `cluster`, `authority`, `path`, `headers` and, as far as the kind of call has them, `authorization`, `method` and
/// `body`.
pub(super) fn read(object: &mut Object, environment: Environment, call: Call) -> Option<Upstream> {
    let cluster = object.required(UpstreamFields::cluster).map(|Text(cluster)| cluster);
    let authority = authority(object, cluster.as_deref());
    let path =
        object.required_with(RequestFields::path, |node| template(node, UrlPart::Path, call.in_path())).flatten();
    let headers = object.nested(RequestFields::headers, |headers| read_headers(headers, environment, call));
    let mut headers = headers.unwrap_or_default();
    if call == Call::Basic {
        object.refuse(UpstreamFields::authorization.name, "the user's own credentials are sent");
    }
    let authorization = authorization(object, environment);
    let method = method(object, call);
    let body = body(object, call, method, &headers);
    add_default(&mut headers, "accept", call != Call::Basic);
    add_default(&mut headers, "content-type", body.is_some());
    Some(Upstream { cluster: cluster?, authority: authority?, method, path: path?, headers, authorization, body })
}

/// Reads `timeout`, `max_response_bytes`, `max_concurrent` and `circuit`.
pub(super) fn limits(object: &mut Object) -> CallLimits {
    let max_response_bytes = within(object, AnswerFields::max_response_bytes);
    let max_response_bytes = max_response_bytes.and_then(|bytes| usize::try_from(bytes).ok());
    limits_or(object, CallLimits { max_response_bytes: max_response_bytes.unwrap_or(64 * 1024), ..DEFAULT_LIMITS })
}

/// Reads `timeout`, `max_concurrent` and `circuit`.
pub(super) fn limits_or(object: &mut Object, default: CallLimits) -> CallLimits {
    let max_concurrent = within(object, CallFields::max_concurrent).and_then(|calls| usize::try_from(calls).ok());
    let (circuit_failures, circuit_open) = object.nested(CallFields::circuit, circuit).unwrap_or_default();
    CallLimits {
        timeout: timeout_or(object, CallFields::timeout, default.timeout),
        max_response_bytes: default.max_response_bytes,
        max_concurrent: max_concurrent.unwrap_or(default.max_concurrent),
        circuit_failures: circuit_failures.unwrap_or(default.circuit_failures),
        circuit_open: circuit_open.unwrap_or(default.circuit_open),
    }
}

/// Reads a timeout.
pub(super) fn timeout_or(object: &mut Object, field: Field<Option<Span>>, default: Duration) -> Duration {
    const BOUNDS: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
    let Some(Span(timeout)) = object.optional(field) else { return default };
    if !BOUNDS.contains(&timeout) {
        object.problem(field.name, "expected 0.001s to 60s");
    }
    timeout
}

fn circuit(object: &mut Object) -> (Option<u32>, Option<Duration>) {
    let failures = within(object, CircuitFields::failures).and_then(|failures| u32::try_from(failures).ok());
    (failures, whole_seconds(object, CircuitFields::open))
}

/// Reads a template, and tells what is wrong with it.
fn template(node: Node, place: UrlPart, known: &[Placeholder]) -> Option<Template> {
    let Text(text) = node.read()?;
    Template::parse(&text, place, known).map_err(|what| node.problem(what)).ok()
}

/// Reads `authority`, which is the cluster's name by default.
pub(super) fn authority(object: &mut Object, cluster: Option<&str>) -> Option<String> {
    let given = object.optional(UpstreamFields::authority).map(|Text(authority)| authority);
    let is_given = given.is_some();
    let authority = given.or_else(|| cluster.map(str::to_owned))?;
    if is_host(&authority) {
        return Some(authority);
    }
    let missing = "missing, and the cluster's name is no host";
    object.problem(
        UpstreamFields::authority.name,
        if is_given { "expected a host, with or without a port" } else { missing },
    );
    None
}

/// What RFC 3986 lets stand in a host and a port.
fn is_host(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte))
}

fn method(object: &mut Object, call: Call) -> HttpMethod {
    match call {
        Call::Lookup => object.optional(LookupFields::method).unwrap_or_default(),
        Call::Snapshot | Call::Basic => HttpMethod::Get,
        Call::Json => HttpMethod::Post,
    }
}

fn body(object: &mut Object, call: Call, method: HttpMethod, headers: &Headers) -> Option<Template> {
    let field = if call == Call::Lookup { LookupFields::body } else { VerifyFields::body };
    let place = match call {
        Call::Snapshot | Call::Basic => return None,
        Call::Lookup => encoding(headers),
        Call::Json => encoding(headers).filter(|place| *place == UrlPart::Json),
    };
    let Some(place) = place else {
        if object.with(field, |_| ()).is_some() || call == Call::Json {
            object.problem("headers.content-type", UNKNOWN_TYPE);
        }
        return None;
    };
    let body = object.with(field, |node| body_of(node, call, method, place));
    match body {
        None if call == Call::Json => Template::parse(DEFAULT_BODY, place, call.in_body()).ok(),
        body => body.flatten(),
    }
}

const UNKNOWN_TYPE: &str = "a body can be application/json and, without a password, application/x-www-form-urlencoded";

fn body_of(node: Node, call: Call, method: HttpMethod, place: UrlPart) -> Option<Template> {
    if method == HttpMethod::Get {
        node.problem("a GET has no body: set the method to POST or PUT");
    }
    let body = template(node, place, call.in_body())?;
    if call == Call::Json && !body.placeholders().any(|placeholder| placeholder == Placeholder::Password) {
        node.problem("{password} is not in it");
    }
    Some(body)
}

/// How values are written in a body of the type that the headers tell. None if that is not known.
fn encoding(headers: &Headers) -> Option<UrlPart> {
    let Some((_, value)) = headers.iter().find(|(name, _)| name == "content-type") else { return Some(UrlPart::Json) };
    let HeaderValue::Template(value) = value else { return None };
    let value = value.to_string().to_ascii_lowercase();
    match value.split(';').next().map(str::trim) {
        Some("application/json") => Some(UrlPart::Json),
        Some("application/x-www-form-urlencoded") => Some(UrlPart::Form),
        _ => None,
    }
}

type Headers = Vec<(String, HeaderValue)>;

fn read_headers(object: &mut Object, environment: Environment, call: Call) -> Headers {
    let mut headers = Headers::new();
    object.each_left(|name, node| {
        let name = name.to_ascii_lowercase();
        if !is_token(&name) || SET_ELSEWHERE.contains(&name.as_str()) {
            node.problem("a header that can't be set here");
        } else if headers.iter().any(|(known, _)| *known == name) {
            node.problem("given twice");
        }
        headers.push((name, header_value(node, environment, call)?));
        Some(())
    });
    headers
}

/// A template, or `{"env": "NAME"}` for a credential.
fn header_value(node: Node, environment: Environment, call: Call) -> Option<HeaderValue> {
    if node.is_object() {
        return visible(node, environment).map(|secret| HeaderValue::Secret(Secret::new(secret.as_bytes())));
    }
    template(node, UrlPart::Header, call.in_path()).map(HeaderValue::Template)
}

/// Headers that frame the message, that are made from other settings, or that ask for a part of an answer or for none.
const SET_ELSEWHERE: [&str; 15] = [
    "authorization",
    "connection",
    "content-length",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "traceparent",
    "transfer-encoding",
    "upgrade",
];

/// A name of RFC 9110 §5.1.
pub(super) fn is_token(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

fn add_default(headers: &mut Headers, name: &str, is_wanted: bool) {
    if is_wanted && !headers.iter().any(|(known, _)| known == name) {
        let json = Template::parse("application/json", UrlPart::Header, &[]);
        headers.extend(json.ok().map(|json| (name.to_owned(), HeaderValue::Template(json))));
    }
}

/// Reads `authorization`.
pub(super) fn authorization(object: &mut Object, environment: Environment) -> Option<Secret> {
    object.nested(UpstreamFields::authorization, |object| either(object, environment)).flatten()
}

fn either(object: &mut Object, environment: Environment) -> Option<Secret> {
    let bearer = object.with(AuthorizationFields::bearer, |node| bearer(node, environment));
    let basic = object.nested(AuthorizationFields::basic, |object| basic(object, environment));
    match (bearer, basic) {
        (Some(bearer), None) => bearer,
        (None, Some(basic)) => basic,
        (None, None) => problem(object, "bearer", "missing, and basic too"),
        (Some(_), Some(_)) => problem(object, "basic", "beside bearer: there can be one of them"),
    }
}

fn problem<T>(object: &Object, name: &str, what: &str) -> Option<T> {
    object.problem(name, what);
    None
}

fn bearer(node: Node, environment: Environment) -> Option<Secret> {
    let token = visible(node, environment)?;
    let scheme = "Bearer ";
    let mut value = Vec::with_capacity(scheme.len() + token.len());
    value.extend_from_slice(scheme.as_bytes());
    value.extend_from_slice(token.as_bytes());
    Some(Secret::new(value))
}

fn basic(object: &mut Object, environment: Environment) -> Option<Secret> {
    let username = object.required(BasicFields::username).map(|Text(username)| username);
    let password = object.required_with(BasicFields::password, |node| secret(node, environment)).flatten();
    let credentials = basic::credentials(username?.as_bytes(), &Secret::new(password?.as_bytes()));
    if credentials.is_none() {
        object.problem(
            BasicFields::username.name,
            "HTTP Basic has no colon in a user name, and no control characters at all",
        );
    }
    credentials
}

/// A secret that can stand in a header as it is.
fn visible(node: Node, environment: Environment) -> Option<zeroize::Zeroizing<String>> {
    let secret = secret(node, environment)?;
    let is_visible = secret.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible {
        node.problem("expected ASCII without spaces and line ends");
    }
    is_visible.then_some(secret)
}

impl Call {
    /// What may stand in a path and in headers, which are written to access logs.
    fn in_path(self) -> &'static [Placeholder] {
        match self {
            Self::Snapshot => &[Placeholder::AuthSourceId],
            _ => &[Placeholder::Identifier, Placeholder::Kind, Placeholder::AuthSourceId],
        }
    }

    fn in_body(self) -> &'static [Placeholder] {
        const ALL: &[Placeholder] =
            &[Placeholder::Identifier, Placeholder::Kind, Placeholder::AuthSourceId, Placeholder::Password];
        if self == Self::Json { ALL } else { self.in_path() }
    }
}
