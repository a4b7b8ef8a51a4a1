//! The names of parameters, and which requests have them.

/// A parameter that some request has here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what its name says, in RFC 6749, RFC 7009, RFC 6750 or docs/api.md")]
pub enum Parameter {
    GrantType,
    ClientId,
    ClientSecret,
    AuthSourceId,
    Username,
    Password,
    Scope,
    RefreshToken,
    Token,
    AccessToken,
    UserAddress,
    DeviceToken,
}

/// What a token request may have.
pub const OF_TOKEN_REQUEST: &[Parameter] = &[
    Parameter::GrantType,
    Parameter::ClientId,
    Parameter::ClientSecret,
    Parameter::AuthSourceId,
    Parameter::Username,
    Parameter::Password,
    Parameter::Scope,
    Parameter::RefreshToken,
    Parameter::UserAddress,
    Parameter::DeviceToken,
];

/// What a request about a token may have (RFC 7009 §2.1, RFC 7662 §2.1). Its `token_type_hint` is not needed: no text is a
/// token of two types.
pub(crate) const OF_REQUEST_ABOUT_TOKEN: &[Parameter] =
    &[Parameter::ClientId, Parameter::ClientSecret, Parameter::Token];

/// What a request with a token may have (RFC 6750 §2.2).
pub(crate) const OF_REQUEST_WITH_TOKEN: &[Parameter] = &[Parameter::AccessToken];

impl Parameter {
    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GrantType => "grant_type",
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::AuthSourceId => "auth_source_id",
            Self::Username => "username",
            Self::Password => "password",
            Self::Scope => "scope",
            Self::RefreshToken => "refresh_token",
            Self::Token => "token",
            Self::AccessToken => "access_token",
            Self::UserAddress => "user_address",
            Self::DeviceToken => "device_token",
        }
    }
}
