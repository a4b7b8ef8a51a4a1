//! What this server can do, told to software that wants to use it (RFC 8414 §2, OpenID Connect Discovery §3): only what is
//! configured.

use std::collections::BTreeSet;

use serde::Serialize;

use super::route::{Paths, PublicDocument, Route, Service};
use crate::{
    crypto::jws::Algorithm,
    registry::{
        Registry,
        auth_source::{AuthSource, Directory},
        client::Grant,
    },
    token::ID_TOKEN_CLAIMS,
};

/// What the metadata depends on.
#[derive(Debug)]
pub(crate) struct Described<'a> {
    /// `issuer`, the same as `iss` in tokens.
    pub(crate) issuer: &'a str,
    /// Scheme, host and port of the issuer: what the paths follow.
    pub(crate) origin: &'a str,
    /// Where everything is.
    pub(crate) paths: &'a Paths,
    /// Clients and users.
    pub(crate) registry: &'a Registry,
    /// What may sign.
    pub(crate) algorithms: &'a [Algorithm],
}

/// A list without elements is left out (RFC 8414 §3.2), but for the one that both standards call required.
#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    revocation_endpoint: Option<String>,
    introspection_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    /// Nothing, since there is no authorization endpoint, which alone has response types. Readers who check that what is
    /// required is there would refuse the document without it.
    response_types_supported: [&'a str; 0],
    grant_types_supported: BTreeSet<Grant>,
    token_endpoint_auth_methods_supported: Vec<&'a str>,
    revocation_endpoint_auth_methods_supported: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_endpoint_auth_methods_supported: Vec<&'a str>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    scopes_supported: BTreeSet<&'a str>,
    subject_types_supported: [&'a str; 1],
    id_token_signing_alg_values_supported: &'a [Algorithm],
    claims_supported: BTreeSet<&'a str>,
}

/// The metadata as a JSON document. None if it can't be written as one.
pub(crate) fn document(described: &Described) -> Option<String> {
    let registry = described.registry;
    let clients = || registry.clients.values();
    let url = |room| described.paths.of(room).map(|path| format!("{}{path}", described.origin));
    let confidential = if clients().any(|client| client.is_confidential()) { SECRET_METHODS } else { &[] };
    let public = if clients().all(|client| client.is_confidential()) { &[] } else { PUBLIC_METHODS };
    let metadata = Metadata {
        issuer: described.issuer,
        token_endpoint: url(Route::Service(Service::Token)),
        jwks_uri: url(Route::Document(PublicDocument::Keys)),
        revocation_endpoint: url(Route::Service(Service::Revocation)),
        introspection_endpoint: url(Route::Service(Service::Introspection)),
        userinfo_endpoint: url(Route::UserInfo),
        response_types_supported: [],
        grant_types_supported: clients().flat_map(|client| client.grants.iter().copied()).collect(),
        token_endpoint_auth_methods_supported: [confidential, public].concat(),
        revocation_endpoint_auth_methods_supported: [confidential, public].concat(),
        introspection_endpoint_auth_methods_supported: confidential.to_vec(),
        scopes_supported: clients().flat_map(|client| client.scopes.iter().map(String::as_str)).collect(),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: described.algorithms,
        claims_supported: registry
            .auth_sources
            .values()
            .flat_map(|source| claims_of(source))
            .chain(ID_TOKEN_CLAIMS)
            .collect(),
    };
    serde_json::to_string(&metadata).ok()
}

/// RFC 6749 §2.3.1, by their names in OpenID Connect Core §9.
const SECRET_METHODS: &[&str] = &["client_secret_basic", "client_secret_post"];
const PUBLIC_METHODS: &[&str] = &["none"];

/// The claims that a directory is known to have: those of a snapshot are not known before it is read.
fn claims_of(source: &AuthSource) -> BTreeSet<&str> {
    match &source.directory {
        Directory::Users(users) => users.claim_names().collect(),
        Directory::Lookup(lookup) => lookup.mapping.claim_names().collect(),
        Directory::Verify(verify) => verify.mapping.claim_names().collect(),
        Directory::Snapshot(_) => BTreeSet::new(),
    }
}
