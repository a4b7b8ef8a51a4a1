//! Which path leads where, and by which methods: a room is one line in each of the tables.

use crate::registry::client::Client;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Something for clients, who say who they are.
    Service(Service),
    /// A user's claims, for who has the user's token.
    UserInfo,
    /// Something for everyone.
    Document(PublicDocument),
}

/// What clients may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Tokens (RFC 6749 §3.2).
    Token,
    /// The end of a token (RFC 7009).
    Revocation,
    /// What a token is good for (RFC 7662).
    Introspection,
}

/// What a request with a body is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Something that clients may ask for.
    Service(Service),
    /// A user's claims.
    UserInfo,
}

impl Service {
    /// Whether this client may ask at all: whoever may introspect learns of other clients' tokens, and so must prove who
    /// he is (RFC 7662 §2.1 and §4).
    pub(crate) fn is_for(self, client: &Client) -> bool {
        self != Self::Introspection || client.is_confidential()
    }
}

/// What everyone may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublicDocument {
    /// The public keys (RFC 7517 §5).
    Keys,
    /// What this server can do (RFC 8414 §3.2, OpenID Connect Discovery §4.2).
    Metadata,
}

impl Route {
    /// The rooms whose paths are settings: the setting's name and its default.
    pub(crate) const WITH_SETTINGS: [(Self, &str, &str); 5] = [
        (Self::Service(Service::Token), "token", "/oauth2/token"),
        (Self::Service(Service::Revocation), "revocation", "/oauth2/revoke"),
        (Self::Service(Service::Introspection), "introspection", "/oauth2/introspect"),
        (Self::UserInfo, "userinfo", "/oauth2/userinfo"),
        (Self::Document(PublicDocument::Keys), "jwks", "/oauth2/jwks"),
    ];

    /// The methods that it knows (RFC 9110 §9.1).
    pub(crate) fn methods(self) -> &'static str {
        match self {
            Self::Service(_) => "POST, OPTIONS",
            Self::UserInfo => "GET, HEAD, POST, OPTIONS",
            Self::Document(_) => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether it knows this method.
    pub(crate) fn knows(self, method: &str) -> bool {
        self.methods().split(", ").any(|known| known == method)
    }
}

/// Paths, each with its room.
#[derive(Debug, Default)]
pub(crate) struct Paths(Vec<(String, Route)>);

impl Paths {
    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, _)| path.as_str())
    }

    /// Gives a room a path. One that has a room keeps it, and is what the error tells.
    ///
    /// # Errors
    /// The room that has the path.
    pub(crate) fn add(&mut self, path: String, room: Route) -> Result<(), Route> {
        match self.room(&path) {
            Some(other) => Err(other),
            None => {
                self.0.push((path, room));
                Ok(())
            }
        }
    }

    /// What is at a path.
    pub(crate) fn room(&self, path: &str) -> Option<Route> {
        self.0.iter().find(|(known, _)| known == path).map(|(_, room)| *room)
    }

    /// The first path of a room.
    pub(crate) fn of(&self, room: Route) -> Option<&str> {
        self.0.iter().find(|(_, known)| *known == room).map(|(path, _)| path.as_str())
    }
}
