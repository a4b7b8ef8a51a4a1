//! One HTTP stream: it collects the body, hands the request to the core and the core's questions to the worker.

use std::{cell::RefCell, mem, rc::Rc};

use super::{host::Host, waiter::Ticket, worker::Worker};
use crate::{
    config::HeadersHeldBy,
    endpoint::{Admission, Collecting, cors::CorsOrigin},
    http::Head,
    origin::Origin,
    secret::Secret,
};

/// A request as the host has it at hand.
pub trait IncomingRequest {
    /// Its path without the query.
    fn path(&self) -> String;

    /// Its headers.
    fn head(&self, path: String) -> Head;

    /// At most `limit` bytes of what has come of its body.
    fn body(&self, limit: usize) -> Secret;

    /// Where it comes from, as the host knows it: an address, with or without a port.
    fn source_address(&self) -> String;

    /// Takes a header away before it goes on.
    fn remove_header(&self, name: &str);
}

/// What becomes of the part of a request that has just come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It stays here.
    Pause,
}

/// One request and its answer.
pub struct HttpStream<H: Host> {
    id: u32,
    worker: Rc<RefCell<Worker<H>>>,
    page: CorsOrigin,
    stage: StreamStage,
}

enum StreamStage {
    /// Not a request for us.
    Passing,
    /// The body is on its way.
    Collecting(Collecting),
    /// It was answered at once.
    Answered,
    /// The worker has it.
    Taken(Ticket),
}

impl<H: Host> HttpStream<H> {
    /// The stream that the host has this number for.
    pub fn new(id: u32, worker: Rc<RefCell<Worker<H>>>) -> Self {
        Self { id, worker, page: CorsOrigin::default(), stage: StreamStage::Passing }
    }

    /// The headers have come.
    pub fn on_headers(&mut self, request: &impl IncomingRequest, is_whole: bool) -> Flow {
        let path = request.path();
        if self.worker.borrow().endpoint().owns(&path) {
            self.admit(request.head(path));
        }
        if is_whole && self.is_collecting() {
            self.begin(&Secret::new([]), request);
        }
        self.flow_of_headers(request)
    }

    /// So many bytes of the body are here. It may be said twice of the same bytes; only the end of the stream, or too much of
    /// it, counts.
    pub fn on_body(&mut self, request: &impl IncomingRequest, buffered: usize, is_whole: bool) -> Flow {
        if self.is_collecting() {
            let limit = self.limit();
            if is_whole || buffered > limit {
                self.begin(&request.body(limit + 1), request);
            }
        }
        self.flow()
    }

    /// The trailers have come, and so all of the body has.
    pub fn on_trailers(&mut self, request: &impl IncomingRequest) -> Flow {
        if self.is_collecting() {
            self.begin(&request.body(self.limit() + 1), request);
        }
        self.flow()
    }

    fn admit(&mut self, head: Head) {
        let mut worker = self.worker.borrow_mut();
        self.page = worker.endpoint().page(&head);
        let now = worker.host().now();
        self.stage = match worker.endpoint().admit(head, now) {
            Admission::Pass => StreamStage::Passing,
            Admission::Collect(collecting) => StreamStage::Collecting(collecting),
            Admission::Reply(response, event) => {
                worker.reply(self.id, self.page, response, &event);
                StreamStage::Answered
            }
        };
    }

    /// Once the body is whole, or too long to ever be.
    fn begin(&mut self, body: &Secret, request: &impl IncomingRequest) {
        let origin = Origin::of(&request.source_address());
        let ticket = Ticket { exchange: self.id, origin, page: self.page };
        let stage = mem::replace(&mut self.stage, StreamStage::Taken(ticket));
        if let StreamStage::Collecting(collecting) = stage {
            self.worker.borrow_mut().begin(ticket, collecting, body);
        }
    }

    fn is_collecting(&self) -> bool {
        matches!(self.stage, StreamStage::Collecting(_))
    }

    fn limit(&self) -> usize {
        self.worker.borrow().endpoint().max_request_bytes
    }

    /// Where the next filter holds the headers, they go on to it, but no credentials with them, should it not be there.
    fn flow_of_headers(&self, request: &impl IncomingRequest) -> Flow {
        let held_by = self.worker.borrow().headers_held_by();
        if self.is_collecting() && held_by == HeadersHeldBy::NextFilter {
            request.remove_header("authorization");
            return Flow::Continue;
        }
        self.flow()
    }

    fn flow(&self) -> Flow {
        match self.stage {
            StreamStage::Passing => Flow::Continue,
            StreamStage::Collecting(_) | StreamStage::Answered | StreamStage::Taken(_) => Flow::Pause,
        }
    }
}

impl<H: Host> Drop for HttpStream<H> {
    /// A stream that goes away takes its work with it.
    fn drop(&mut self) {
        if let StreamStage::Taken(ticket) = self.stage {
            self.worker.borrow_mut().forget(ticket);
        }
    }
}
