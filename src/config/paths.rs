//! Where the endpoint answers: the paths that are settings, and those of discovery, which follow from the issuer.

use url::Url;

use super::{document::Object, setting::Text};
use crate::endpoint::room::{Document, Paths, Room};

/// An issuer that is a URL of the right kind.
pub struct Issuer {
    /// The URL as it was written.
    pub text: String,
    /// Scheme, host and port.
    pub origin: String,
    /// The path, without a trailing slash.
    pub path: String,
}

impl Issuer {
    /// Takes a URL apart.
    pub fn new(text: String, url: &Url) -> Self {
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
pub fn read(object: &mut Object, issuer: Option<&Issuer>) -> Paths {
    let mut paths = Paths::default();
    for path in issuer.map(Issuer::metadata_paths).into_iter().flatten() {
        // An issuer without a path has one of them twice.
        _ = paths.add(path, Room::Document(Document::Metadata));
    }
    let given = object.nested("paths", given).unwrap_or_default();
    for (at, (room, name, default)) in Room::WITH_SETTINGS.into_iter().enumerate() {
        let path = given.get(at).cloned().flatten().unwrap_or_else(|| default.to_owned());
        if let Err(other) = paths.add(path, room) {
            object.problem(&format!("paths.{name}"), format!("the same path as {}", name_of(other)));
        }
    }
    paths
}

fn given(object: &mut Object) -> Vec<Option<String>> {
    Room::WITH_SETTINGS.into_iter().map(|(_, name, _)| path(object, name)).collect()
}

fn path(object: &mut Object, name: &str) -> Option<String> {
    let Text(path) = object.optional(name)?;
    check(&path, |what| object.problem(name, what));
    Some(path)
}

/// Reports what can't be the path of a request.
pub fn check(path: &str, report: impl FnOnce(&str)) {
    if !path.starts_with('/') || path.contains(['?', '#']) {
        report("expected a path that begins with / and has no query");
    }
}

fn name_of(room: Room) -> String {
    let setting = Room::WITH_SETTINGS.into_iter().find(|(known, ..)| *known == room);
    setting.map_or_else(|| "one of discovery".to_owned(), |(_, name, _)| format!("paths.{name}"))
}
