//! Directories of users that are asked over HTTP: what is sent to them, and what their answers mean. Who sends it, and when, is
//! the adapter's business.

mod cache;
mod callout;
mod circuit;
mod fault;
mod lookup;
mod mapping;
mod snapshot;
mod template;
mod upstream;
mod verify;

pub use self::{
    cache::{Cache, CacheLimits},
    callout::{CallLimits, Callout, CalloutAnswer},
    circuit::Circuit,
    fault::Fault,
    lookup::Lookup,
    mapping::{StatusMapping, UserMapping},
    snapshot::{AnswerHead, Delivery, Fetch, Format, Ledger, News, Next, PART, Records, Snapshot, jittered, millis},
    template::{Place, Placeholder, Template, Values},
    upstream::{HeaderValue, Method, Upstream},
    verify::{Credentials, Source, Verify},
};
