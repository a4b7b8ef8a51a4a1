//! Between a stream, on a worker of Envoy's, and the thread that answers it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use runtime::http::Response;

use crate::filter::Scheduler;

/// One stream that waits for its answer.
pub(crate) struct Link {
    /// The stream's number in its configuration.
    pub(crate) stream: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None once the stream is gone.
    scheduler: Option<Scheduler>,
    reply: Option<Reply>,
}

/// An answer, and what it leaves for the access log.
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) notes: Vec<(String, String)>,
}

impl Link {
    /// To a stream that is woken so.
    pub(crate) fn new(stream: u32, scheduler: Scheduler) -> Self {
        Self { stream, state: Mutex::new(State { scheduler: Some(scheduler), reply: None }) }
    }

    /// Hands the answer over. False if the stream is gone.
    pub(crate) fn answer(&self, reply: Reply) -> bool {
        let mut state = self.state();
        state.reply = Some(reply);
        state.scheduler.as_ref().inspect(|scheduler| scheduler.wake()).is_some()
    }

    /// Takes the answer, on the stream's worker.
    pub(crate) fn take(&self) -> Option<Reply> {
        self.state().reply.take()
    }

    /// The stream is gone.
    pub(crate) fn cut(&self) {
        self.state().scheduler = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
