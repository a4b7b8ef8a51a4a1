//! Where a directory is and how it is called: what all kinds of directories have in common.

use std::fmt;

use serde::Deserialize;

use super::template::{Template, Values};
use crate::{outbound::Callout, secret::Secret};

/// A service and the calls that are made to it.
pub struct Upstream {
    /// The cluster to ask.
    pub(crate) cluster: String,
    /// `:authority`
    pub(crate) authority: String,
    /// `:method`
    pub(crate) method: HttpMethod,
    /// `:path`
    pub(crate) path: Template,
    /// Further headers, by their names in lower case.
    pub(crate) headers: Vec<(String, HeaderValue)>,
    /// `authorization`, where it is the same in all calls.
    pub(crate) authorization: Option<Secret>,
    /// The body.
    pub(crate) body: Option<Template>,
}

/// How a directory is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Without a body, and as often as one likes.
    #[default]
    Get,
    /// With a body, once.
    Post,
    /// With a body, once.
    Put,
}

/// The value of a header.
#[derive(Debug)]
pub enum HeaderValue {
    /// Made for each call.
    Template(Template),
    /// A credential, the same in all calls.
    Secret(Secret),
}

impl Upstream {
    /// What to send. None where a value can't be sent as a mere value, or where nobody is named.
    ///
    /// `traceparent` is passed on if it is well formed.
    pub(crate) fn callout(&self, values: &Values, traceparent: Option<&str>) -> Option<Callout> {
        if values.identifier.is_some_and(|identifier| identifier.value.is_empty()) {
            return None;
        }
        let path = self.path.expand(values)?;
        let body = self.body.as_ref().map(|body| body.expand(values).ok_or(())).transpose().ok()?;
        let mut headers = self.headers(values)?;
        headers.extend(self.authorization.as_ref().map(|value| ("authorization".to_owned(), copy(value))));
        let trace = traceparent.filter(|trace| is_traceparent(trace));
        headers.extend(trace.map(|trace| ("traceparent".to_owned(), Secret::new(trace))));
        Some(Callout {
            cluster: self.cluster.clone(),
            method: self.method.name().to_owned(),
            authority: self.authority.clone(),
            path: String::from_utf8(path.expose().to_vec()).ok()?,
            headers,
            body,
        })
    }

    fn headers(&self, values: &Values) -> Option<Vec<(String, Secret)>> {
        let header = |(name, value): &(String, HeaderValue)| Some((name.clone(), value.expand(values)?));
        self.headers.iter().map(header).collect()
    }
}

impl HeaderValue {
    fn expand(&self, values: &Values) -> Option<Secret> {
        match self {
            Self::Template(template) => template.expand(values),
            Self::Secret(secret) => Some(copy(secret)),
        }
    }
}

impl HttpMethod {
    /// As HTTP spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl fmt::Debug for Upstream {
    /// Leaves out what may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

fn copy(secret: &Secret) -> Secret {
    Secret::new(secret.expose())
}

/// `version-trace-parent-flags` in lower-case hexadecimal (W3C Trace Context §3.2), in the form of version 00.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else { return false };
    let is_id = |id: &str, digits| is_hexadecimal(id, digits) && id.bytes().any(|digit| digit != b'0');
    is_hexadecimal(version, 2) && *version != "ff" && is_id(trace, 32) && is_id(parent, 16) && is_hexadecimal(flags, 2)
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_passed_on_only_in_its_one_form() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(good));
        for (from, to) in
            [("00-0a", "ff-0a"), ("-01", "-01-x"), ("-01", ""), ("0af7", "0AF7"), ("-01", "-1\r\n"), ("b7", "é")]
        {
            assert!(!is_traceparent(&good.replacen(from, to, 1)), "{from} {to:?}");
        }
        assert!(!is_traceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
        assert!(!is_traceparent("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
    }
}
