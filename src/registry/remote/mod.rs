//! Directories of users that are asked over HTTP: what is sent to them, and what their answers mean. Who sends it, and when, is
//! the adapter's business.

mod callout;
mod fault;
mod lookup;
mod snapshot;
mod verify;

pub use self::{
    callout::{CallLimits, Callout, CalloutAnswer},
    fault::Fault,
    lookup::Lookup,
    snapshot::Snapshot,
    verify::Verify,
};
