//! A worker between any host and the core: what comes in are events (a request, an answer to a call, a tick, a stream that is
//! gone), and what goes out are calls of a small [`Host`] trait. All that is decided outside the core is decided here: whose
//! password check goes on and for how long, when the next slice runs, who is called, what all workers share.
//!
//! [`Plugin::configure`] makes a [`Worker`] of a document; an [`HttpStream`] is one request to it.

mod answer;
mod arena;
mod attempts;
mod audit;
mod calls;
mod check_threads;
mod checked;
mod checks;
mod families;
mod host;
mod http_stream;
mod known;
mod memory;
mod metrics;
mod outbound_request;
mod pacing;
mod pause_filter;
mod plugin;
mod shared;
mod shared_document;
mod signature_checks;
mod signer;
mod signings;
mod sliced_checks;
mod snapshots;
mod thread_state;
mod threaded_checks;
mod upstream_id;
mod waiter;
mod work_queue;
mod worker;

#[cfg(not(target_family = "wasm"))]
pub(crate) use self::work_queue::{QueuedWork, WorkQueue};
pub use self::{
    check_threads::{CheckDone, CheckThreads, QueuedCheck},
    host::{Change, Host, HostError, MetricKind, SharedValue},
    http_stream::{Flow, HttpStream, IncomingRequest},
    pause_filter::PauseFilter,
    plugin::Plugin,
    thread_state::ThreadState,
    waiter::Ticket,
    worker::Worker,
};
