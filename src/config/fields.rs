//! The fields of the outermost object of a document that configures a token endpoint.

use super::{
    auth_sources::AuthSourceFields,
    clients::ClientFields,
    keys::{SealKeyForm, SecretForm, SigningKeyFields},
    limits::{AttemptLimitFields, PasswordCheckFields, SizeFields},
    paths::PathFields,
    pause_filter::HeadersHeldBy,
    setting::{Span, Text},
    shape::{Filled, Seconds, UNBOUNDED, object},
    store::StateFields,
};
use crate::token::{Lifetimes, Profile};

object! {
    /// What configures a token endpoint.
    pub(crate) struct TokenEndpointFields {
        /// `iss` of all tokens (RFC 8414 §2): an `https` URL without a slash at its end, a query or a fragment.
        #[schemars(regex(pattern = "[^/]$"), extend("examples" = ["https://gateway.example.com"]))]
        issuer: Text,
        /// Allows `http` in `issuer`, and in `allowed_origins` for other machines: for a gateway on loopback, or to try it out.
        allow_insecure_http: Option<bool> = false,
        /// The shape of access tokens.
        token_profile: Option<Profile> = Profile::default(),
        /// Where the endpoint answers.
        paths: Option<PathFields>,
        /// How long what is handed out is good.
        lifetimes: Option<LifetimeFields>,
        /// The keys that sign tokens, published at `paths.jwks`. One of them must sign at any time from now on.
        signing_keys: Filled<SigningKeyFields>,
        /// What users are known by in tables and logs is derived from this key: 32 bytes in base64url, the same in all proxies.
        /// Without it, from the signing key that is listed first: the day on which that goes, `attempt_limits` with the store
        /// `etcd` forget failures and friends, and users get new pseudonyms.
        identity_key: Option<SecretForm>,
        /// The keys that seal refresh tokens: 32 bytes in base64url each. Of those whose time it is, the one that began last
        /// seals (without times: the first); all open. Required for the grant `refresh_token`.
        refresh_token_keys: Option<Filled<SealKeyForm>>,
        /// The directories of users.
        auth_sources: Option<Vec<AuthSourceFields>>,
        /// The applications that may ask for tokens.
        clients: Filled<ClientFields>,
        /// Who holds the headers of a token request until its body is there.
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
    /// How long what is handed out is good.
    pub(crate) struct LifetimeFields {
        /// An access token.
        access_token: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().access_token),
        /// An ID token.
        id_token: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().id_token),
        /// From a login to the end of its last refresh token, however often it is renewed.
        refresh_token: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().refresh_token),
        /// A refresh token that is not used, counted from the last renewal.
        refresh_token_idle: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().refresh_token_idle),
        /// How long others may cache the public keys (`max-age`). Load a new key this long before it signs.
        jwks: Option<Seconds<UNBOUNDED>> = Span(Lifetimes::default().jwks),
    }
}
