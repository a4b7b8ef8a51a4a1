//! The request of the current stream, as Envoy has it at hand.

use proxy_wasm::{
    hostcalls,
    types::{Action, BufferType, MapType},
};

use crate::{
    http::Head,
    runtime::{Flow, IncomingRequest},
    secret::Secret,
};

/// The request of the current stream.
pub(super) struct CurrentRequest;

impl IncomingRequest for CurrentRequest {
    fn path(&self) -> String {
        let path = header(":path").unwrap_or_default();
        path.split('?').next().unwrap_or_default().to_owned()
    }

    fn head(&self, path: String) -> Head {
        Head {
            method: header(":method").unwrap_or_default(),
            path,
            content_type: header("content-type"),
            content_length: header("content-length").and_then(|length| length.parse().ok()),
            authorization: header_bytes("authorization").map(Secret::new),
            web_origin: header("origin"),
            is_cross_site: header("sec-fetch-site").is_some_and(|site| site == "cross-site"),
            is_preflight: header_bytes("access-control-request-method").is_some(),
            traceparent: header("traceparent"),
        }
    }

    fn body(&self, limit: usize) -> Secret {
        let bytes = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, limit).ok().flatten();
        Secret::new(bytes.unwrap_or_default())
    }

    /// `x-forwarded-for` counts where Envoy trusts it.
    fn source_address(&self) -> String {
        let address = hostcalls::get_property(vec!["source", "address"]).ok().flatten().unwrap_or_default();
        String::from_utf8(address).unwrap_or_default()
    }

    fn remove_header(&self, name: &str) {
        if let Err(status) = hostcalls::set_map_value(MapType::HttpRequestHeaders, name, None) {
            log::error!("a header stays: {status:?}");
        }
    }
}

/// What Envoy is told.
pub(super) fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Pause => Action::Pause,
    }
}

fn header(name: &str) -> Option<String> {
    header_bytes(name).and_then(|value| String::from_utf8(value).ok())
}

fn header_bytes(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten()
}
