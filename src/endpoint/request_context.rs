//! What an exchange is about, as far as that is known: for those who watch, never for who calls.

use std::sync::Arc;

use super::route::{PublicDocument, Purpose, Route, Service};
use crate::registry::{
    auth_source::AuthSource,
    client::{Client, Grant},
    identifier::Identifier,
    pseudonym::Pseudonym,
};

/// What an exchange is about. It has no field for what a caller may have mistaken for something else.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// What was asked for.
    pub(crate) topic: RequestKind,
    /// Who asked, once that is known to be true; at userinfo, whose token it is that was sent.
    pub(crate) client: Option<Arc<Client>>,
    /// Who is to be served, once that was named in a way that makes sense.
    pub(crate) subject: Option<NamedUser>,
    /// A limit that was passed and did not show.
    pub(crate) past: Option<Limited>,
    /// Whether the graces of two generations in a row were used from elsewhere: two may have the family's tokens.
    pub(crate) is_shared: bool,
}

/// A limit that refuses nobody so that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// Too many failures of one user: a right password was told like a wrong one.
    User,
    /// Too many failures of all users of a client: the login went behind friends.
    Client,
}

impl Limited {
    /// A short name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user_limit",
            Self::Client => "client_limit",
        }
    }
}

/// Someone in a directory, whether or not there is such a user.
#[derive(Clone, Debug)]
pub(crate) struct NamedUser {
    /// Whose directory.
    pub(crate) auth_source: Arc<AuthSource>,
    /// Who.
    pub(crate) user: Pseudonym,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Tokens, in a way that is not known, or not known yet.
    Token,
    /// Tokens, by a grant.
    Grant(Grant),
    /// The end of a token.
    Revocation,
    /// What a token is good for.
    Introspection,
    /// A user's claims.
    UserInfo,
    /// The public keys.
    Keys,
    /// What this server can do.
    Metadata,
}

impl RequestContext {
    /// All that is known of a request that has not said who asks.
    pub(crate) fn only(topic: impl Into<RequestKind>) -> Self {
        Self { topic: topic.into(), client: None, subject: None, past: None, is_shared: false }
    }

    /// A request by a client that has proven itself.
    pub(crate) fn by(client: &Arc<Client>, topic: impl Into<RequestKind>) -> Self {
        Self { client: Some(Arc::clone(client)), ..Self::only(topic) }
    }

    /// The same, for a user.
    pub(crate) fn with_user(self, auth_source: &Arc<AuthSource>, identifier: &Identifier) -> Self {
        let subject = NamedUser { auth_source: Arc::clone(auth_source), user: auth_source.pseudonym(identifier) };
        Self { subject: Some(subject), ..self }
    }

    /// The same, past a limit.
    pub(crate) fn past(self, limit: Limited) -> Self {
        Self { past: Some(limit), ..self }
    }
}

impl RequestKind {
    /// A short name: that of the grant, where there is one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Grant(Grant::Password) => "password",
            Self::Grant(Grant::RefreshToken) => "refresh_token",
            Self::Grant(Grant::ClientCredentials) => "client_credentials",
            Self::Revocation => "revocation",
            Self::Introspection => "introspection",
            Self::UserInfo => "userinfo",
            Self::Keys => "jwks",
            Self::Metadata => "metadata",
        }
    }
}

impl From<Service> for RequestKind {
    fn from(service: Service) -> Self {
        match service {
            Service::Token => Self::Token,
            Service::Revocation => Self::Revocation,
            Service::Introspection => Self::Introspection,
        }
    }
}

impl From<Purpose> for RequestKind {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Service(service) => service.into(),
            Purpose::UserInfo => Self::UserInfo,
        }
    }
}

impl From<Route> for RequestKind {
    fn from(room: Route) -> Self {
        match room {
            Route::Service(service) => service.into(),
            Route::UserInfo => Self::UserInfo,
            Route::Document(PublicDocument::Keys) => Self::Keys,
            Route::Document(PublicDocument::Metadata) => Self::Metadata,
        }
    }
}

impl From<Grant> for RequestKind {
    fn from(grant: Grant) -> Self {
        Self::Grant(grant)
    }
}
