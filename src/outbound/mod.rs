//! HTTP calls to upstreams: what is sent and answered, how much it may cost, and what is known of an upstream that fails. Who
//! makes the calls is the host's business.

mod callout;
mod circuit;
mod fault;
mod in_flight;
mod limits;
mod upstream_state;

pub use self::{
    callout::{Callout, CalloutAnswer},
    circuit::Circuit,
    fault::Fault,
    in_flight::{InFlight, InFlightCall, Outgoing},
    limits::CallLimits,
    upstream_state::UpstreamState,
};
