//! One HTTP stream, of either role.

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use super::{
    host::EnvoyHost,
    request::{CurrentRequest, action},
};
use crate::runtime::{HttpStream, PauseFilter};

/// A stream through a token endpoint.
pub(super) struct EndpointStream(pub(crate) HttpStream<EnvoyHost>);

impl Context for EndpointStream {}

impl HttpContext for EndpointStream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        action(self.0.on_headers(&CurrentRequest, end_of_stream))
    }

    fn on_http_request_body(&mut self, buffered: usize, end_of_stream: bool) -> Action {
        action(self.0.on_body(&CurrentRequest, buffered, end_of_stream))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        action(self.0.on_trailers(&CurrentRequest))
    }
}

/// A stream through a filter that holds requests back.
pub(super) struct HeldStream(pub(crate) PauseFilter);

impl Context for HeldStream {}

impl HttpContext for HeldStream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        action(self.0.on_headers(&CurrentRequest))
    }
}
