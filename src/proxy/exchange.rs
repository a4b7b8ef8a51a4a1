//! One HTTP stream: it collects the body, hands the request to the core and the core's questions to the worker.

use std::{cell::RefCell, rc::Rc};

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use super::{
    host,
    worker::{Ticket, Worker},
};
use crate::{
    config::HeadersHeldBy,
    endpoint::{Admission, Collecting, cors::Page},
    origin::Origin,
    secret::Secret,
};

/// One request and its answer.
pub struct Exchange {
    id: u32,
    worker: Rc<RefCell<Worker>>,
    page: Page,
    stage: Stage,
}

enum Stage {
    /// Not a request for us.
    Passing,
    /// The body is on its way.
    Collecting(Collecting),
    /// It was answered at once.
    Answered,
    /// The worker has it.
    Taken(Ticket),
}

impl Exchange {
    pub fn new(id: u32, worker: Rc<RefCell<Worker>>) -> Self {
        Self { id, worker, page: Page::default(), stage: Stage::Passing }
    }

    fn admit(&mut self, path: String) {
        let mut worker = self.worker.borrow_mut();
        let head = host::head(path);
        self.page = worker.endpoint().page(&head);
        self.stage = match worker.endpoint().admit(head, host::now()) {
            Admission::Pass => Stage::Passing,
            Admission::Collect(collecting) => Stage::Collecting(collecting),
            Admission::Reply(response, event) => {
                worker.reply(self.id, self.page, response, &event);
                Stage::Answered
            }
        };
    }

    /// Once the body is whole, or too long to ever be.
    fn begin(&mut self, body: &Secret) {
        let origin = Origin::of(&host::source_address());
        let ticket = Ticket { exchange: self.id, origin, page: self.page };
        let stage = std::mem::replace(&mut self.stage, Stage::Taken(ticket));
        if let Stage::Collecting(collecting) = stage {
            self.worker.borrow_mut().begin(ticket, collecting, body);
        }
    }

    fn is_collecting(&self) -> bool {
        matches!(self.stage, Stage::Collecting(_))
    }

    fn limit(&self) -> usize {
        self.worker.borrow().endpoint().max_request_bytes
    }

    /// Where the next filter holds the headers, they go on to it, but no credentials with them, should it not be there.
    fn action_on_headers(&self) -> Action {
        let held_by = self.worker.borrow().headers_held_by();
        if self.is_collecting() && held_by == HeadersHeldBy::NextFilter {
            host::remove_request_header("authorization");
            return Action::Continue;
        }
        self.action()
    }

    fn action(&self) -> Action {
        match self.stage {
            Stage::Passing => Action::Continue,
            Stage::Collecting(_) | Stage::Answered | Stage::Taken(_) => Action::Pause,
        }
    }
}

impl Context for Exchange {}

impl HttpContext for Exchange {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let path = host::path();
        if self.worker.borrow().endpoint().owns(&path) {
            self.admit(path);
        }
        if end_of_stream && self.is_collecting() {
            self.begin(&Secret::new([]));
        }
        self.action_on_headers()
    }

    /// The host may call twice with the same bytes; only the end of the stream, or too much of it, counts.
    fn on_http_request_body(&mut self, buffered: usize, end_of_stream: bool) -> Action {
        if self.is_collecting() {
            let limit = self.limit();
            if end_of_stream || buffered > limit {
                self.begin(&host::body(limit + 1));
            }
        }
        self.action()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        if self.is_collecting() {
            self.begin(&host::body(self.limit() + 1));
        }
        self.action()
    }
}

impl Drop for Exchange {
    /// A stream that goes away takes its work with it.
    fn drop(&mut self) {
        if let Stage::Taken(ticket) = self.stage {
            self.worker.borrow_mut().forget(ticket);
        }
    }
}
