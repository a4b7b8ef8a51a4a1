//! From the document that an operator writes to an [`Endpoint`], or to the list of everything that is wrong with it.

mod auth_sources;
mod bounds;
mod choices;
mod clients;
mod context;
mod document;
mod fields;
mod keys;
mod limits;
pub mod loading;
mod password_hash;
mod paths;
mod pause_filter;
mod problem;
pub mod protobuf;
mod remote;
mod reserved_claims;
#[cfg(not(target_family = "wasm"))]
pub mod schema;
#[cfg(not(target_family = "wasm"))]
mod schema_defaults;
mod setting;
mod shape;
mod snapshot;
mod store;
mod upstream;
mod web_origins;

use std::{sync::Arc, time::Duration};

use url::Url;

use self::{
    context::Allowances,
    document::Object,
    fields::{LifetimeFields, TokenEndpointFields},
    limits::AttemptStore,
    paths::Issuer,
    pause_filter::PauseFilterFields,
    problem::Report,
    setting::Span,
    shape::{Field, Seconds, UNBOUNDED},
};
pub use self::{context::Environment, pause_filter::HeadersHeldBy, problem::Problem};
use crate::{
    attempts::{Limits, TableKey},
    endpoint::{
        Endpoint, Rotation,
        metadata::{self, Described},
    },
    registry::{Registry, client::Grant, web_origin::WebOrigin},
    schedule::Schedule,
    state::etcd::Etcd,
    time::UnixTime,
    token::{IssuerConfig, Lifetimes},
};

/// A checked configuration.
#[derive(Debug)]
pub struct Configuration {
    /// What answers.
    pub endpoint: Endpoint,
    /// How a worker shares its time.
    pub schedule: Schedule,
    /// How often guesses may fail.
    pub attempts: Limits,
    /// What remembers which tokens were used; None: each process by itself.
    pub etcd: Option<Arc<Etcd>>,
    /// The key of the table of attempts, where that is in etcd too.
    pub shared_attempts: Option<TableKey>,
    /// Who holds the headers of a request while its body is on its way.
    pub headers_held_by: HeadersHeldBy,
    /// What an operator should know, and may still mean.
    pub warnings: Vec<Problem>,
}

/// What a plugin is there for.
#[derive(Debug)]
pub enum Role {
    /// It answers requests for tokens and of tokens.
    TokenEndpoint(Box<Configuration>),
    /// It lets no request to these paths go on, for a token endpoint in front of it that can't.
    PauseFilter(Vec<String>),
}

/// Reads and checks a configuration document: JSON, or an encoded `google.protobuf.Struct`. Keys must be there for all
/// times from `now` on; so a document that is accepted once is accepted ever after.
///
/// # Errors
/// All problems at once, each with its path. None of them shows a value from the document.
pub fn parse(document: &[u8], environment: Environment, now: UnixTime) -> Result<Configuration, Vec<Problem>> {
    read(document, |object, report| configuration(object, report, environment, now))
}

/// The same, whatever the plugin is there for.
///
/// # Errors
/// As [`parse`].
pub fn parse_any(document: &[u8], environment: Environment, now: UnixTime) -> Result<Role, Vec<Problem>> {
    read(document, |object, report| {
        if object.has(PauseFilterFields::hold.name) {
            return object.required_with(PauseFilterFields::hold, pause_filter::held_paths).map(Role::PauseFilter);
        }
        configuration(object, report, environment, now).map(Box::new).map(Role::TokenEndpoint)
    })
}

fn read<T>(document: &[u8], role: impl FnOnce(&mut Object, &Report) -> Option<T>) -> Result<T, Vec<Problem>> {
    let report = Report::default();
    let json = protobuf::struct_to_json(document).unwrap_or_else(|| String::from_utf8_lossy(document).into_owned());
    let value = Object::document(&json, &report, |object| role(object, &report));
    let problems = report.into_problems();
    value.flatten().filter(|_| problems.is_empty()).ok_or(problems)
}

fn configuration(
    object: &mut Object,
    report: &Report,
    environment: Environment,
    now: UnixTime,
) -> Option<Configuration> {
    let schedule = object.nested(TokenEndpointFields::password_checks, limits::schedule).unwrap_or_default();
    let state =
        object.nested(TokenEndpointFields::state, |object| store::read(object, environment)).unwrap_or_default();
    let (attempts, store) = object.nested(TokenEndpointFields::attempt_limits, limits::attempts).unwrap_or_default();
    if store == AttemptStore::Etcd && state.etcd.is_none() {
        object.problem("attempt_limits.store", "etcd, and there is no state.etcd");
    }
    let headers_held_by = object.optional(TokenEndpointFields::headers_held_by).unwrap_or_default();
    let (endpoint, attempts_key) = endpoint(object, environment, state.rotation, attempts.friends_for(), now)?;
    let shared_attempts = (store == AttemptStore::Etcd).then_some(attempts_key);
    let (etcd, warnings) = (state.etcd, report.take_warnings());
    Some(Configuration { endpoint, schedule, attempts, etcd, shared_attempts, headers_held_by, warnings })
}

/// The endpoint, and the key of a table of attempts that all proxies with its keys share.
fn endpoint(
    object: &mut Object,
    environment: Environment,
    rotation: Rotation,
    device_tokens: Duration,
    now: UnixTime,
) -> Option<(Endpoint, TableKey)> {
    let allowances = Allowances {
        http_issuer: object.optional(TokenEndpointFields::allow_insecure_http).unwrap_or_default(),
        weak_hashes: object.optional(TokenEndpointFields::allow_weak_hashes).unwrap_or_default(),
    };
    let issuer = issuer(object, allowances);
    let profile = object.optional(TokenEndpointFields::token_profile).unwrap_or_default();
    let lifetimes = object.nested(TokenEndpointFields::lifetimes, lifetimes).unwrap_or_default();
    let paths = paths::read(object, TokenEndpointFields::paths, issuer.as_ref());
    let identity_key = keys::identity_key(object, TokenEndpointFields::identity_key, environment);
    let identity_key = identity_key.as_ref().map(|key| key.as_str());
    let keys =
        keys::signing_keys(object, TokenEndpointFields::signing_keys, environment, &lifetimes, identity_key, now);
    let sealer = keys::sealer(object, TokenEndpointFields::refresh_token_keys, environment, now);
    let max_request_bytes = limits::max_request_bytes(object, TokenEndpointFields::limits);
    let directory_keys = keys.as_ref().map(|keys| keys.directory_keys).unwrap_or_default();
    let auth_sources =
        auth_sources::read(object, TokenEndpointFields::auth_sources, directory_keys, environment, allowances);
    let clients = clients::read(object, TokenEndpointFields::clients, &auth_sources, allowances);
    if sealer.is_none() && clients.values().any(|client| client.grants.contains(&Grant::RefreshToken)) {
        object
            .problem(TokenEndpointFields::refresh_token_keys.name, "missing, and a client has the grant refresh_token");
    }
    let (keys, issuer) = (keys?, issuer?);
    let attempts_key = TableKey::new(keys.attempts_key);
    let registry = Registry::new(clients, auth_sources);
    let metadata = metadata::document(&Described {
        issuer: &issuer.text,
        origin: &issuer.origin,
        paths: &paths,
        registry: &registry,
        algorithms: &keys.ring.algorithms(now),
    });
    let endpoint = Endpoint {
        paths,
        origin: WebOrigin::new(issuer.origin),
        metadata: metadata?,
        max_request_bytes,
        terms: IssuerConfig { issuer: issuer.text, profile, lifetimes },
        keys: keys.ring,
        sealer: sealer.unwrap_or_default(),
        rotation,
        device_tokens,
        registry,
    };
    Some((endpoint, attempts_key))
}

/// An issuer is an `https` URL without query and fragment (RFC 8414 §2), here without a trailing slash too.
fn issuer(object: &mut Object, allowances: Allowances) -> Option<Issuer> {
    let setting::Text(text) = object.required(TokenEndpointFields::issuer)?;
    let url = Url::parse(&text).ok();
    let problem = match &url {
        None => Some("expected a URL"),
        Some(url) if url.scheme() == "http" && !allowances.http_issuer => {
            Some("an http issuer, which only allow_insecure_http permits")
        }
        Some(url) if !["http", "https"].contains(&url.scheme()) => Some("expected an https URL"),
        Some(url) if url.query().is_some() || url.fragment().is_some() => Some("a URL with a query or a fragment"),
        Some(url) if !url.username().is_empty() || url.password().is_some() => Some("a URL with credentials"),
        Some(_) if text.ends_with('/') => Some("a URL with a trailing slash"),
        Some(_) => None,
    };
    if let Some(what) = problem {
        object.problem(TokenEndpointFields::issuer.name, what);
        return None;
    }
    Some(Issuer::new(text, &url?))
}

fn lifetimes(object: &mut Object) -> Lifetimes {
    let default = Lifetimes::default();
    let mut read = |field, default| lifetime(object, field).unwrap_or(default);
    Lifetimes {
        access_token: read(LifetimeFields::access_token, default.access_token),
        id_token: read(LifetimeFields::id_token, default.id_token),
        refresh_token: read(LifetimeFields::refresh_token, default.refresh_token),
        refresh_token_idle: read(LifetimeFields::refresh_token_idle, default.refresh_token_idle),
        jwks: read(LifetimeFields::jwks, default.jwks),
    }
}

fn lifetime(object: &mut Object, field: Field<Option<Seconds<UNBOUNDED>>>) -> Option<Duration> {
    let Span(lifetime) = object.optional(field.read_as())?;
    if lifetime.as_secs() == 0 || lifetime.subsec_nanos() != 0 {
        object.problem(field.name, "expected whole seconds, one at least");
    }
    Some(lifetime)
}
