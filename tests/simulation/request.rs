//! A request as a caller sends it.

use token_endpoint::{http::Head, runtime::IncomingRequest, secret::Secret};

#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub address: String,
}

impl Request {
    /// A form.
    pub fn post(path: &'static str, form: &[(&str, &str)], address: String) -> Self {
        let pairs = form.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Self { method: "POST", path, headers, body: pairs.collect::<Vec<_>>().join("&"), address }
    }
}

fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

impl IncomingRequest for Request {
    fn path(&self) -> String {
        self.path.to_owned()
    }

    fn head(&self, path: String) -> Head {
        let header = |name| self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        Head {
            method: self.method.to_owned(),
            path,
            content_type: header("content-type"),
            content_length: Some(self.body.len() as u64),
            authorization: header("authorization").map(Secret::new),
            web_origin: header("origin"),
            is_cross_site: false,
            is_preflight: false,
            traceparent: None,
        }
    }

    fn body(&self, limit: usize) -> Secret {
        Secret::new(&self.body.as_bytes()[..self.body.len().min(limit)])
    }

    fn source_address(&self) -> String {
        self.address.clone()
    }

    fn remove_header(&self, _: &str) {}
}
