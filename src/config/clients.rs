//! The clients of a configuration.

use std::{collections::HashMap, sync::Arc};

use super::{
    auth_sources::AuthSources,
    context::Allowances,
    document::{Node, Object},
    setting::Text,
    shape::{Field, Filled, object, schema},
    web_origins::{self, WebOriginForm},
};
use crate::{
    crypto::client_secret::SecretHash,
    registry::{
        auth_source::AuthSource,
        client::{Authentication, Client, ClientType, Grant, RefreshTokens},
    },
    token::OPENID,
};

object! {
    /// An application that may ask for tokens.
    #[schemars(extend("allOf" = rules()))]
    pub(crate) struct ClientFields {
        /// `client_id` in requests (RFC 6749 §2.2).
        id: Text,
        /// The kind of application, and so whether it can keep a secret.
        r#type: ClientType,
        /// Hashes of its secret, by `hash-secret`: one, or two during a rotation. Required for `web`, refused for others.
        secret_hashes: Option<Vec<SecretHashForm>>,
        /// Ids of the auth sources whose users may log in with it, the preferred one first. Required, unless `client_credentials`
        /// is the only grant.
        auth_sources: Option<Vec<Text>>,
        /// Its grants (RFC 6749 §1.3): these and no others.
        grants: Filled<Grant>,
        /// The scopes that it may ask for (RFC 6749 §3.3).
        scopes: Option<Filled<ScopeForm>> = [OPENID],
        /// The origins whose pages may read answers to it (CORS), as browsers send them: scheme, host and port. `http` only for
        /// loopback, or with `allow_insecure_http`. Without them no page on another origin can.
        #[schemars(length(max = web_origins::MOST), extend("uniqueItems" = true))]
        allowed_origins: Option<Vec<WebOriginForm>>,
        /// Whether a refresh gives a new refresh token and ends the old one (RFC 9700 §4.14.2). `false` only for a `web` client
        /// that can't cope with that.
        refresh_token_rotation: Option<bool> = true,
    }
}

/// What the type and the grants of a client ask of its other fields.
#[cfg(not(target_family = "wasm"))]
fn rules() -> serde_json::Value {
    serde_json::json!([
        {
            "if": {"properties": {"type": {"const": ClientType::Web}}, "required": ["type"]},
            "then": {
                "properties": {"secret_hashes": {"type": "array", "minItems": 1, "maxItems": 2}},
                "required": ["secret_hashes"],
            },
        },
        {
            "if": {"properties": {"type": {"enum": [ClientType::Spa, ClientType::Mobile]}}, "required": ["type"]},
            "then": {
                "properties": {
                    "secret_hashes": {"maxItems": 0},
                    "grants": {"items": {"not": {"const": Grant::ClientCredentials}}},
                    "refresh_token_rotation": {"not": {"const": false}},
                },
            },
        },
        {
            "if": {"properties": {"grants": {"const": [Grant::ClientCredentials]}}},
            "else": {
                "properties": {"auth_sources": {"type": "array", "minItems": 1}},
                "required": ["auth_sources"],
            },
        },
    ])
}

/// A hash of a client's secret.
pub(super) enum SecretHashForm {}

schema!(SecretHashForm, {
    "title": "hash of a secret",
    "type": "string",
    "pattern": r"^\$sha256\$[A-Za-z0-9_-]{22}\$[A-Za-z0-9_-]{43}$",
});

/// One scope.
pub(super) enum ScopeForm {}

schema!(ScopeForm, {"title": "scope", "type": "string", "pattern": r"^[!#-\[\]-~]+$"});

/// Reads `clients`.
pub(super) fn read(
    object: &mut Object,
    field: Field<Filled<ClientFields>>,
    auth_sources: &AuthSources,
    allowances: Allowances,
) -> HashMap<String, Arc<Client>> {
    let mut clients = HashMap::new();
    object.each_of_some(field, |node| {
        let client = node.object(|object| client(object, auth_sources, allowances))??;
        if clients.insert(client.id.clone(), Arc::new(client)).is_some() {
            node.problem("a client with the same id as another");
        }
        Some(())
    });
    clients
}

fn client(object: &mut Object, auth_sources: &AuthSources, allowances: Allowances) -> Option<Client> {
    for name in ["secret", "client_secret"] {
        object.refuse(name, "a plaintext secret: hash it with hash-secret and give it in secret_hashes");
    }
    let id = object.required(ClientFields::id).map(|Text(id)| id);
    let authentication = authentication(object);
    let grants = grants(object, authentication.as_ref());
    let auth_sources = auth_sources_of(object, &grants, auth_sources);
    let scopes = object.with(ClientFields::scopes, |node| node.each_of_some(scope));
    let allowed_origins = web_origins::read(object, ClientFields::allowed_origins, authentication.as_ref(), allowances);
    let refresh_tokens = refresh_tokens(object, authentication.as_ref());
    Some(Client {
        id: id?,
        authentication: authentication?,
        auth_sources,
        grants,
        scopes: scopes.unwrap_or_else(|| vec![OPENID.to_owned()]),
        allowed_origins,
        refresh_tokens,
    })
}

/// Client credentials are for those who have some (RFC 6749 §4.4).
fn grants(object: &mut Object, authentication: Option<&Authentication>) -> Vec<Grant> {
    let grants = object.each_of_some(ClientFields::grants, |node| node.read::<Grant>());
    if grants.contains(&Grant::ClientCredentials) && matches!(authentication, Some(Authentication::Public)) {
        object.problem(ClientFields::grants.name, "client_credentials, which only a web client may have");
    }
    grants
}

/// A client that only acts for itself has no users, and so needs no auth source.
fn auth_sources_of(object: &mut Object, grants: &[Grant], known: &AuthSources) -> Vec<Arc<AuthSource>> {
    if grants == [Grant::ClientCredentials] {
        return object.each(ClientFields::auth_sources, |node| reference(node, known));
    }
    object.each_of_some(ClientFields::auth_sources.read_as::<Filled<Text>>(), |node| reference(node, known))
}

/// Refresh tokens of a public client are rotated (RFC 9700 §2.2.2).
fn refresh_tokens(object: &mut Object, authentication: Option<&Authentication>) -> RefreshTokens {
    match (object.optional(ClientFields::refresh_token_rotation), authentication) {
        (Some(false), Some(Authentication::Public)) => {
            object.problem(
                ClientFields::refresh_token_rotation.name,
                "only a web client's refresh tokens may stay the same",
            );
            RefreshTokens::Rotated
        }
        (Some(false), _) => RefreshTokens::Kept,
        (Some(true) | None, _) => RefreshTokens::Rotated,
    }
}

fn authentication(object: &mut Object) -> Option<Authentication> {
    let client_type = object.required(ClientFields::r#type);
    let hashes = object.each(ClientFields::secret_hashes, secret_hash);
    match client_type? {
        ClientType::Web if hashes.is_empty() || hashes.len() > 2 => {
            object
                .problem(ClientFields::secret_hashes.name, "a web client has one secret, or two while one is rotated");
            None
        }
        ClientType::Web => hashes.into_iter().collect::<Option<_>>().map(Authentication::Secret),
        ClientType::Spa | ClientType::Mobile if !hashes.is_empty() => {
            object.problem(ClientFields::secret_hashes.name, "an spa or mobile client can't keep a secret");
            None
        }
        ClientType::Spa | ClientType::Mobile => Some(Authentication::Public),
    }
}

/// Some(None) for a hash that is there but wrong, so that a wrong hash is not a missing one too.
fn secret_hash(node: Node) -> Option<Option<SecretHash>> {
    let Some(Text(text)) = node.read() else { return Some(None) };
    let hash = text.parse().ok();
    if hash.is_none() {
        node.problem("not a hash of a client secret: make one with hash-secret");
    }
    Some(hash)
}

fn reference(node: Node, auth_sources: &AuthSources) -> Option<Arc<AuthSource>> {
    let Text(id) = node.read()?;
    let auth_source = auth_sources.get(&id).cloned();
    if auth_source.is_none() {
        node.problem("no auth source has this id");
    }
    auth_source
}

/// A scope-token (RFC 6749 §3.3).
fn scope(node: Node) -> Option<String> {
    let Text(scope) = node.read()?;
    let valid = scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    if !valid {
        node.problem("expected one scope, without spaces, quotes and backslashes");
    }
    valid.then_some(scope)
}
