//! Where the endpoint answers: the paths that are settings, and those of discovery, which follow from the issuer.

use url::Url;

use super::{
    document::Object,
    setting::Text,
    shape::{Field, object, schema},
};
use crate::endpoint::route::{Paths, PublicDocument, Route};

object! {
    /// Where the endpoint answers. No two paths may be the same. Discovery answers at paths that follow from the issuer
    /// (RFC 8414 §3.1, OpenID Connect Discovery §4).
    pub(crate) struct PathFields {
        /// Of the token endpoint (RFC 6749 §3.2).
        token: Option<PathForm> = default_of(PathFields::token),
        /// Of revocation (RFC 7009).
        revocation: Option<PathForm> = default_of(PathFields::revocation),
        /// Of introspection (RFC 7662).
        introspection: Option<PathForm> = default_of(PathFields::introspection),
        /// Of userinfo (OpenID Connect Core §5.3).
        userinfo: Option<PathForm> = default_of(PathFields::userinfo),
        /// Of the public keys (RFC 7517 §5).
        jwks: Option<PathForm> = default_of(PathFields::jwks),
    }
}

/// The fields in the order of [`Route::WITH_SETTINGS`].
const FIELDS: [Field<Option<PathForm>>; 5] =
    [PathFields::token, PathFields::revocation, PathFields::introspection, PathFields::userinfo, PathFields::jwks];

/// A path that [`check`] finds nothing wrong with.
pub(super) enum PathForm {}

schema!(PathForm, {"title": "path", "type": "string", "pattern": "^/[^?#]*$"});

/// An issuer that is a URL of the right kind.
pub(super) struct Issuer {
    /// The URL as it was written.
    pub(crate) text: String,
    /// Scheme, host and port.
    pub(crate) origin: String,
    /// The path, without a trailing slash.
    pub(crate) path: String,
}

impl Issuer {
    /// Takes a URL apart.
    pub(super) fn new(text: String, url: &Url) -> Self {
        let (origin, path) = (url.origin().ascii_serialization(), url.path().trim_end_matches('/').to_owned());
        Self { text, origin, path }
    }

    /// Where software looks for what this server can do: OpenID Connect Discovery §4, and RFC 8414 §3.1, whose §5 has
    /// both for the older name.
    fn metadata_paths(&self) -> [String; 3] {
        let path = &self.path;
        [
            format!("{path}/.well-known/openid-configuration"),
            format!("/.well-known/oauth-authorization-server{path}"),
            format!("/.well-known/openid-configuration{path}"),
        ]
    }
}

/// Reads `paths`. No two may be the same.
pub(super) fn read(object: &mut Object, field: Field<Option<PathFields>>, issuer: Option<&Issuer>) -> Paths {
    let mut paths = Paths::default();
    for path in issuer.map(Issuer::metadata_paths).into_iter().flatten() {
        // An issuer without a path has one of them twice.
        _ = paths.add(path, Route::Document(PublicDocument::Metadata));
    }
    let given = object.nested(field, given).unwrap_or_default();
    for (at, (room, name, default)) in Route::WITH_SETTINGS.into_iter().enumerate() {
        let path = given.get(at).cloned().flatten().unwrap_or_else(|| default.to_owned());
        if let Err(other) = paths.add(path, room) {
            object.problem(&format!("paths.{name}"), format!("the same path as {}", name_of(other)));
        }
    }
    paths
}

fn given(object: &mut Object) -> Vec<Option<String>> {
    FIELDS.into_iter().map(|field| path(object, field)).collect()
}

fn path(object: &mut Object, field: Field<Option<PathForm>>) -> Option<String> {
    let Text(path) = object.optional(field.read_as())?;
    check(&path, |what| object.problem(field.name, what));
    Some(path)
}

/// Reports what can't be the path of a request.
pub(super) fn check(path: &str, report: impl FnOnce(&str)) {
    if !path.starts_with('/') || path.contains(['?', '#']) {
        report("expected a path that begins with / and has no query");
    }
}

fn name_of(room: Route) -> String {
    let setting = Route::WITH_SETTINGS.into_iter().find(|(known, ..)| *known == room);
    setting.map_or_else(|| "one of discovery".to_owned(), |(_, name, _)| format!("paths.{name}"))
}

fn default_of(field: Field<Option<PathForm>>) -> &'static str {
    let room = Route::WITH_SETTINGS.into_iter().find(|(_, name, _)| *name == field.name);
    room.map_or("", |(.., default)| default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_of_the_rooms_in_their_order() {
        assert_eq!(FIELDS.map(|field| field.name), Route::WITH_SETTINGS.map(|(_, name, _)| name));
    }
}
