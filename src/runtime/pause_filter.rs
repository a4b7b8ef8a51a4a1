//! The filter behind a token endpoint that can't hold the headers of a request itself: they go no further than here.

use std::rc::Rc;

use super::http_stream::{Flow, IncomingRequest};

/// Holds requests to these paths, and lets all others go on.
#[derive(Clone, Debug)]
pub struct PauseFilter(Rc<[String]>);

impl PauseFilter {
    /// For these paths.
    pub(crate) fn new(paths: Vec<String>) -> Self {
        Self(paths.into())
    }

    /// The headers of a request have come.
    pub fn on_headers(&self, request: &impl IncomingRequest) -> Flow {
        if self.0.contains(&request.path()) { Flow::Pause } else { Flow::Continue }
    }
}
