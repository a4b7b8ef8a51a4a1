//! The fields of the outermost object of a document that configures a token endpoint.

use super::{
    auth_sources::AuthSourceFields,
    clients::ClientFields,
    holder::HeadersHeldBy,
    keys::{SealKeyForm, SecretForm, SigningKeyFields},
    limits::{AttemptLimitFields, PasswordCheckFields, SizeFields},
    paths::PathFields,
    setting::{Span, Text},
    shape::{Filled, Seconds, UNBOUNDED, object},
    store::StateFields,
};
use crate::token::{Lifetimes, Profile};

object! {
    /// What configures a token endpoint.
    pub(crate) struct TokenEndpointFields {
        /// `iss` of all tokens (RFC 8414 §2): an `https` URL with no slash at its end, no query and no fragment.
        #[schemars(regex(pattern = "[^/]$"), extend("examples" = ["https://gateway.example.com"]))]
        issuer: Text,
        /// Lets `issuer` be an `http` URL, and `allowed_origins` have `http` origins of other machines, for a gateway that only
        /// listens on the own machine or is tried out.
        allow_http_issuer: Option<bool> = false,
        /// The shape of access tokens.
        token_profile: Option<Profile> = Profile::default(),
        /// Where the endpoint answers.
        paths: Option<PathFields>,
        /// How long what is handed out is good for.
        lifetimes: Option<LifetimeFields>,
        /// The keys that sign tokens, published at `paths.jwks`. One of them must sign at any time from now on.
        signing_keys: Filled<SigningKeyFields>,
        /// What users are known by in tables and logs is derived from this key: 32 bytes in base64url, the same in all proxies.
        /// Without it, from the signing key that is listed first: the day on which that goes, `attempt_limits` with the store
        /// `etcd` forget failures and friends, and users get new pseudonyms.
        identity_key: Option<SecretForm>,
        /// The keys that seal refresh tokens: 32 bytes in base64url each. Of those whose time it is, the one that began last
        /// seals (without times: the first); all open. Required where a client has the grant `refresh_token`.
        refresh_token_keys: Option<Filled<SealKeyForm>>,
        /// The directories of users.
        auth_sources: Option<Vec<AuthSourceFields>>,
        /// The applications that may ask for tokens.
        clients: Filled<ClientFields>,
        /// Who keeps the headers of a token request from going on while its body is on its way.
        headers_held_by: Option<HeadersHeldBy> = HeadersHeldBy::default(),
        /// How large things may be.
        limits: Option<SizeFields>,
        /// How a worker shares its time between password checks and its other connections.
        password_checks: Option<PasswordCheckFields>,
        /// How often a guess may fail. Past it, an attempt is answered 429 with `Retry-After`, before its hash is checked.
        attempt_limits: Option<AttemptLimitFields>,
        /// What is remembered of tokens, and where.
        state: Option<StateFields>,
        /// Accepts password hashes that cost less than OWASP's minimum.
        allow_weak_hashes: Option<bool> = false,
    }
}

object! {
    /// How long what is handed out is good for.
    pub(crate) struct LifetimeFields {
        /// An access token.
        access_token: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().access_token),
        /// An ID token.
        id_token: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().id_token),
        /// From a login to the moment when its last refresh token ends, however often it is renewed.
        refresh_token: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().refresh_token),
        /// A refresh token that is not used, counted from the last renewal.
        refresh_token_idle: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().refresh_token_idle),
        /// For how long others may keep a copy of the public keys (`max-age`). Load a new key this long before it signs.
        jwks: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().jwks),
    }
}
