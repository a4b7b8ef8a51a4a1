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
        Head::path_of(header(":path"))
    }

    fn head(&self, path: String) -> Head {
        Head::read(path, header)
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

fn header(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten()
}
