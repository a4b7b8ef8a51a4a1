//! Requests and answers as plain data, so that the core speaks HTTP without knowing any proxy.

use std::fmt;

use crate::secret::Secret;

/// What is known of a request before its body.
#[derive(Debug, Default)]
pub struct Head {
    /// The method, in upper case as HTTP has it.
    pub method: String,
    /// The path without the query: credentials in the URI never count (RFC 6749 §2.3.1).
    pub path: String,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// `Content-Length`, where it is a number.
    pub content_length: Option<u64>,
    /// `Authorization`, as sent.
    pub authorization: Option<Secret>,
    /// `Origin`, as sent: that of the page that asks (RFC 6454 §7).
    pub web_origin: Option<String>,
    /// Whether `Sec-Fetch-Site` says that the page that asks is of another site (Fetch Metadata §2.4).
    pub is_cross_site: bool,
    /// Whether it has `Access-Control-Request-Method`: a page asks whether it may ask.
    pub is_preflight: bool,
    /// `traceparent`, as sent (W3C Trace Context), for calls that this request causes.
    pub traceparent: Option<String>,
}

impl Head {
    /// Reads it from a host's headers, by their names in lower case. The path is without the query.
    pub fn read(path: String, header: impl Fn(&str) -> Option<Vec<u8>>) -> Self {
        let text = |name: &str| header(name).and_then(|value| String::from_utf8(value).ok());
        Self {
            method: text(":method").unwrap_or_default(),
            path,
            content_type: text("content-type"),
            content_length: text("content-length").and_then(|length| length.parse().ok()),
            authorization: header("authorization").map(Secret::new),
            web_origin: text("origin"),
            is_cross_site: text("sec-fetch-site").is_some_and(|site| site == "cross-site"),
            is_preflight: header("access-control-request-method").is_some(),
            traceparent: text("traceparent"),
        }
    }

    /// The path that a host's `:path` begins with.
    pub fn path_of(target: Option<Vec<u8>>) -> String {
        let target = target.and_then(|target| String::from_utf8(target).ok()).unwrap_or_default();
        target.split('?').next().unwrap_or_default().to_owned()
    }

    /// Whether the body is a form, whatever the parameters of its `Content-Type` (RFC 9110 §8.3.1).
    pub(crate) fn has_form(&self) -> bool {
        let media_type = self.content_type.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }
}

/// An answer to the caller.
#[derive(PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names, in lower case, with their values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Response {
    /// Leaves the body out, since it may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}
