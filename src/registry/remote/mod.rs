//! Directories of users that are asked over HTTP: what is sent to them, and what their answers mean. Who sends it, and when, is
//! the runtime's business.

mod cache;
mod lookup;
mod mapping;
mod snapshot;
mod template;
mod upstream;
mod verify;

pub use self::{
    cache::{Cache, CacheLimits},
    lookup::Lookup,
    mapping::{StatusMapping, UserMapping},
    snapshot::{
        AnswerHead, Delivery, Fetch, Format, Next, PART, Records, Snapshot, SnapshotManifest, Transition, jittered,
        millis,
    },
    template::{Place, Placeholder, Template, Values},
    upstream::{HeaderValue, Method, Upstream},
    verify::{Credentials, Source, Verify},
};
/// What calls to a directory may cost is said where all calls are.
pub use crate::outbound::CallLimits;
