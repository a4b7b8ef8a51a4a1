//! Every way to say no, and the one table that turns it into an answer (RFC 6749 §5.2).

use std::borrow::Cow;

use super::parameter::Parameter;

/// Why a request is refused. It holds nothing that a caller sent, so it can't leak it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// The method is not one of those that the path knows.
    Method {
        /// The value of `Allow`.
        allow: &'static str,
    },
    /// A page asks that may not read the answer.
    ForeignPage,
    /// The body is not a form.
    ContentType,
    /// The body is over the limit.
    TooLarge,
    /// A parameter's name can't be read.
    MalformedForm,
    /// A parameter that is needed is not there, or is empty.
    Missing(Parameter),
    /// A parameter is there more than once (RFC 6749 §3.2).
    Repeated(Parameter),
    /// A parameter is not percent-encoded UTF-8.
    Malformed(Parameter),
    /// Client credentials in the header and in the body (RFC 6749 §2.3).
    TwoCredentials,
    /// The client is unknown or not proven.
    InvalidClient {
        /// Whether the client used HTTP Basic, and must be told how to do it right.
        basic: bool,
    },
    /// A grant type that does not exist here.
    UnsupportedGrantType,
    /// A grant type that this client may not use.
    UnauthorizedClient,
    /// A scope that this client may not have.
    InvalidScope,
    /// The auth source is unknown, or not one of the client's.
    AuthSourceNotAssociated,
    /// The auth source does not accept identifiers of this kind.
    UnsupportedIdentifier,
    /// Unknown user or wrong password; nothing tells which.
    WrongCredentials,
    /// The password is right and the user may not log in all the same.
    AccountNotActive,
    /// The refresh token is not good, or not good for this client.
    InvalidRefreshToken,
    /// The token to be revoked was given to another client (RFC 7009 §2.1).
    TokenOfAnother,
    /// A request for a user's claims has no token.
    NoToken,
    /// Its token is there twice, or can't be read (RFC 6750 §2).
    MalformedToken,
    /// Its token is not good, or no longer.
    InvalidToken,
    /// Its token was not granted `openid`, as that of a client that acts for itself never is: it is good, but not for
    /// this (RFC 6750 §3.1).
    InsufficientScope,
    /// There were too many failures; the same for users that exist and that do not.
    TooManyAttempts {
        /// When to come back, in seconds.
        retry_after: u64,
    },
    /// Something that the answer needs could not be had.
    Unavailable {
        /// When to come back, in seconds.
        retry_after: u64,
    },
}

/// Something went wrong here that coming back soon may mend.
pub(super) const UNAVAILABLE: OAuthError = OAuthError::Unavailable { retry_after: 1 };

/// How a refusal is told.
#[derive(Debug)]
pub struct ErrorResponse {
    /// The HTTP status.
    pub status: u16,
    /// An `error` of RFC 6749 §5.2 or RFC 6750 §3.1, or one that `docs/api.md` adds.
    pub error: &'static str,
    /// A short name that no other kind of refusal has, for the operator alone.
    pub reason: &'static str,
    /// `error_description`.
    pub description: Cow<'static, str>,
}

impl OAuthError {
    /// The table: status, `error`, reason and `error_description`.
    pub fn response(self) -> ErrorResponse {
        let (status, error, reason, description) = match self {
            Self::Missing(parameter) => return invalid("missing_parameter", "Missing", parameter),
            Self::Repeated(parameter) => return invalid("repeated_parameter", "Repeated", parameter),
            Self::Malformed(parameter) => return invalid("malformed_parameter", "Malformed", parameter),
            Self::Method { .. } => (405, "invalid_request", "method", "Unsupported method"),
            Self::ForeignPage => (403, "invalid_request", "foreign_page", "Origin not allowed"),
            Self::ContentType => (400, "invalid_request", "content_type", "Unsupported content type"),
            Self::TooLarge => (413, "invalid_request", "too_large", "Request body too large"),
            Self::MalformedForm => (400, "invalid_request", "malformed_form", "Malformed request body"),
            Self::TwoCredentials => {
                (400, "invalid_request", "two_credentials", "Client credentials in both the header and the body")
            }
            Self::InvalidClient { .. } => (401, "invalid_client", "invalid_client", "Client authentication failed"),
            Self::UnsupportedGrantType => {
                (400, "unsupported_grant_type", "unsupported_grant_type", "Unsupported grant type")
            }
            Self::UnauthorizedClient => {
                (400, "unauthorized_client", "grant_not_allowed", "Grant type not allowed for this client")
            }
            Self::InvalidScope => (400, "invalid_scope", "scope_not_allowed", "Scope not allowed for this client"),
            Self::AuthSourceNotAssociated => {
                (400, "invalid_auth_source", "auth_source_not_associated", "Auth source and application not associated")
            }
            Self::UnsupportedIdentifier => {
                (400, "invalid_grant", "unsupported_identifier", "Unsupported username identifier")
            }
            Self::WrongCredentials => (400, "invalid_grant", "wrong_credentials", "Wrong username or password"),
            Self::AccountNotActive => (400, "invalid_grant", "abnormal_status", "Abnormal user status"),
            Self::InvalidRefreshToken => (400, "invalid_grant", "invalid_refresh_token", "Invalid refresh token"),
            // RFC 7009 §2.1 has it refused, and RFC 6749 §5.2 has this very case in its `invalid_grant`.
            Self::TokenOfAnother => (400, "invalid_grant", "token_of_another", "Token issued to another client"),
            Self::NoToken => (401, "invalid_token", "no_token", "Missing access token"),
            Self::MalformedToken => {
                (400, "invalid_request", "malformed_token", "Malformed or repeated parameter: access_token")
            }
            Self::InvalidToken => (401, "invalid_token", "invalid_token", "Invalid access token"),
            Self::InsufficientScope => (403, "insufficient_scope", "insufficient_scope", "Scope openid required"),
            Self::TooManyAttempts { .. } => (429, "slow_down", "too_many_attempts", "Too many attempts"),
            Self::Unavailable { .. } => (503, "temporarily_unavailable", "unavailable", "Temporarily unavailable"),
        };
        ErrorResponse { status, error, reason, description: Cow::Borrowed(description) }
    }

    /// The header that the status calls for.
    pub(crate) fn header(self) -> Option<(&'static str, String)> {
        match self {
            Self::Method { allow } => Some(("allow", allow.to_owned())),
            Self::InvalidClient { basic: true } => Some(("www-authenticate", BASIC.to_owned())),
            Self::NoToken => Some(("www-authenticate", BEARER.to_owned())),
            Self::MalformedToken | Self::InvalidToken => Some(("www-authenticate", self.bearer_challenge())),
            Self::InsufficientScope => {
                Some(("www-authenticate", format!(r#"{}, scope="openid""#, self.bearer_challenge())))
            }
            Self::TooManyAttempts { retry_after } | Self::Unavailable { retry_after } => {
                Some(("retry-after", retry_after.to_string()))
            }
            _ => None,
        }
    }

    /// The same for who has sent a token (RFC 6750 §3).
    fn bearer_challenge(self) -> String {
        let ErrorResponse { error, description, .. } = self.response();
        format!(r#"{BEARER}, error="{error}", error_description="{description}""#)
    }
}

/// RFC 7617 §2 and §2.1.
const BASIC: &str = r#"Basic realm="token-endpoint", charset="UTF-8""#;
/// RFC 6750 §3: all that one is told who has sent no token.
const BEARER: &str = r#"Bearer realm="token-endpoint""#;

fn invalid(reason: &'static str, fault: &str, parameter: Parameter) -> ErrorResponse {
    let description = Cow::Owned(format!("{fault} parameter: {}", parameter.name()));
    ErrorResponse { status: 400, error: "invalid_request", reason, description }
}
