//! A worker between any host and the core: what comes in are events (a request, an answer to a call, a tick, a stream that is
//! gone), and what goes out are calls of a small [`Host`] trait. All that is decided outside the core is decided here: whose
//! password check goes on and for how long, when the next slice runs, who is called, what all workers share.
//!
//! [`Plugin::configure`] makes a [`Worker`] of a document; an [`Exchange`] is one request to it.

mod answer;
mod arena;
mod attempts;
mod audit;
mod calls;
mod checks;
mod errand;
mod exchange;
mod families;
mod holder;
mod host;
mod known;
mod memory;
mod metrics;
mod pacing;
mod party;
mod plugin;
mod shared;
mod shared_document;
mod signer;
mod signings;
mod snapshots;
mod thread_state;
mod waiter;
mod work_queue;
mod worker;

pub use self::{
    exchange::{Exchange, Flow, IncomingRequest},
    holder::Holder,
    host::{Failure, Host, MetricKind, SharedValue},
    plugin::Plugin,
    thread_state::ThreadState,
    waiter::Ticket,
    worker::Worker,
};
