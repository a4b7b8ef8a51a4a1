//! The pages that may read the answers to a client: exact origins, written as browsers send them.

use url::{Host, Origin, Url};

use super::{
    context::Allowances,
    document::{Node, Object},
    setting::Text,
    shape::{Field, schema},
};
use crate::registry::{client::Authentication, web_origin::WebOrigin};

/// More pages than one application has.
pub(super) const MOST: usize = 32;

/// The origin of a page (RFC 6454 §6.2).
pub(super) enum WebOriginForm {}

schema!(WebOriginForm, {"title": "origin", "type": "string", "pattern": r"^([a-z][a-z0-9+.-]*://[^/*?#@A-Z]+|null)$"});

/// Reads `allowed_origins`.
pub(super) fn read(
    object: &mut Object,
    field: Field<Option<Vec<WebOriginForm>>>,
    authentication: Option<&Authentication>,
    allowances: Allowances,
) -> Vec<WebOrigin> {
    let mut origins = Vec::new();
    object.each(field, |node| {
        let origin = origin(node, allowances)?;
        if origins.contains(&origin) {
            node.problem("the same origin as another");
        }
        origins.push(origin);
        Some(())
    });
    if origins.len() > MOST {
        object.problem(field.name, format!("more than {MOST} origins"));
    }
    if origins.iter().any(|origin| origin.as_str() == "null") {
        object.warning(field.name, "null is the origin of every sandboxed page and every file");
    }
    if matches!(authentication, Some(Authentication::Secret(_))) && !origins.is_empty() {
        object.warning(field.name, "a page can't keep the secret of a web client");
    }
    origins
}

fn origin(node: Node, allowances: Allowances) -> Option<WebOrigin> {
    let Text(text) = node.read()?;
    let problem = problem(&text, allowances);
    if let Some(what) = problem {
        node.problem(what);
    }
    problem.is_none().then(|| WebOrigin::new(text))
}

/// What is wrong with a text that should be the serialization of an origin (RFC 6454 §6.2).
fn problem(text: &str, allowances: Allowances) -> Option<&'static str> {
    let url = Url::parse(text).ok();
    match &url {
        _ if text == "null" => None,
        _ if text.contains('*') => Some("a wildcard; expected one origin"),
        None => Some("expected an origin, such as \"https://app.example.com\""),
        Some(url) if serialized(url) != text => Some(
            "expected an origin as browsers send it: scheme, host and port, in lower case, without the scheme's own port, \
             a slash at the end or a path",
        ),
        Some(url) if url.scheme() == "http" && !(is_loopback(url) || allowances.http_issuer) => {
            Some("an http origin of another machine, which only allow_insecure_http permits")
        }
        Some(_) => None,
    }
}

/// The origin of a page, which for a scheme of an app's own (`capacitor://localhost`) is opaque to the URL standard, and not to the
/// browsers in which apps live.
fn serialized(url: &Url) -> String {
    match url.origin() {
        Origin::Opaque(_) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
        }
        tuple => tuple.ascii_serialization(),
    }
}

/// Where browsers take http for safe (W3C Secure Contexts §3.1).
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
