//! One stream on its worker of Envoy's: what comes is copied and sent to the thread that answers, and its answer is sent back.

use std::{
    cell::{Cell, RefCell},
    mem,
    sync::Arc,
};

use runtime::{http::Head, secret::Secret};

use crate::{
    abi::{body_status, headers_status, trailers_status},
    configuration::Configuration,
    filter::Filter,
    link::{Link, Reply},
    worker::{Arrived, Event},
};

/// One request, as the module holds it.
pub(crate) struct Stream {
    configuration: Arc<Configuration>,
    link: RefCell<Option<Arc<Link>>>,
    stage: RefCell<Stage>,
}

enum Stage {
    /// Not a request for us.
    Passing,
    /// The body is on its way.
    Collecting(Vec<u8>),
    /// All was sent to the thread that answers.
    Sent,
}

impl Stream {
    pub(crate) fn new(configuration: Arc<Configuration>) -> Self {
        Self { configuration, link: RefCell::default(), stage: RefCell::new(Stage::Passing) }
    }

    /// The headers have come.
    pub(crate) fn on_headers(&self, filter: Filter, is_whole: bool) -> u32 {
        let path = Head::path_of(filter.header(":path"));
        if !self.configuration.owns(&path) {
            return headers_status::Continue;
        }
        let head = Head::read(path.clone(), |name| filter.header(name));
        let arrived = Arrived {
            path,
            head: Cell::new(head),
            body: RefCell::new(Secret::new([])),
            source_address: filter.source_address(),
        };
        let link = Arc::new(Link::new(self.configuration.next_stream(), filter.scheduler()));
        self.configuration.tell(Event::Begun(Arc::clone(&link), Box::new(arrived), is_whole));
        self.link.replace(Some(link));
        self.stage.replace(if is_whole { Stage::Sent } else { Stage::Collecting(Vec::new()) });
        headers_status::StopIteration
    }

    /// A part of the body has come. Envoy keeps none of it.
    pub(crate) fn on_body(&self, filter: Filter, is_whole: bool) -> u32 {
        if matches!(*self.stage.borrow(), Stage::Passing) {
            return body_status::Continue;
        }
        if self.collect(filter) || is_whole {
            self.send();
        }
        body_status::StopIterationNoBuffer
    }

    /// The trailers have come, and so all of the body has.
    pub(crate) fn on_trailers(&self) -> u32 {
        if matches!(*self.stage.borrow(), Stage::Passing) {
            return trailers_status::Continue;
        }
        self.send();
        trailers_status::StopIteration
    }

    /// True if it is more than is read.
    fn collect(&self, filter: Filter) -> bool {
        let limit = self.configuration.max_request_bytes();
        match &mut *self.stage.borrow_mut() {
            Stage::Collecting(body) => {
                let received = Secret::new(filter.received_body());
                let room = (limit + 1).saturating_sub(body.len());
                body.extend(received.expose().iter().take(room));
                body.len() > limit
            }
            Stage::Passing | Stage::Sent => false,
        }
    }

    fn send(&self) {
        let stage = mem::replace(&mut *self.stage.borrow_mut(), Stage::Sent);
        if let (Stage::Collecting(body), Some(link)) = (stage, &*self.link.borrow()) {
            self.configuration.tell(Event::Whole(link.stream, Secret::new(body)));
        }
    }

    /// It was woken: the answer is there.
    pub(crate) fn take_reply(&self) -> Option<Reply> {
        self.link.borrow().as_ref()?.take()
    }

    /// Changes the metrics that wait for a stream.
    pub(crate) fn change_metrics(&self, filter: Filter) {
        if !matches!(*self.stage.borrow(), Stage::Passing) {
            self.configuration.take_changes().iter().for_each(|change| filter.change(change));
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            link.cut();
            self.configuration.tell(Event::Gone(link.stream));
        }
    }
}
