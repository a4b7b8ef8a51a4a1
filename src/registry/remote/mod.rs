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
        AnswerHead, Delivery, Fetch, Format, NextItem, PART, Records, Snapshot, SnapshotManifest, Transition, jittered,
        millis,
    },
    template::{Placeholder, Template, UrlPart, Values},
    upstream::{HeaderValue, HttpMethod, Upstream},
    verify::{AnswerPart, CredentialsForm, Verify},
};
/// What calls to a directory may cost is said where all calls are.
pub use crate::outbound::CallLimits;
