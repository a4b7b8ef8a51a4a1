//! The filter behind a token endpoint that can't hold the headers of a request itself: they go no further than here.

use std::rc::Rc;

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use super::host;

/// One request, which goes on if it is not for a token endpoint.
pub struct Holder {
    paths: Rc<[String]>,
}

impl Holder {
    pub fn new(paths: Rc<[String]>) -> Self {
        Self { paths }
    }
}

impl Context for Holder {}

impl HttpContext for Holder {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        if self.paths.contains(&host::path()) { Action::Pause } else { Action::Continue }
    }
}
