//! The token endpoint as a function: a request or an answer goes in, a [`Step`] comes out. It has no clock, no chance
//! but that of hash tables, and no host; whoever calls it performs the steps.

mod admission;
pub mod attempt;
mod authentication;
mod begin;
mod caller;
mod client_credentials;
pub mod cors;
pub mod event;
mod introspection;
mod issue;
pub mod metadata;
pub mod oauth_error;
mod owner;
pub mod parameter;
mod password;
mod refresh;
mod reply;
pub mod request;
pub mod request_context;
mod resume;
mod revocation;
mod rotation;
pub mod route;
mod scope;
mod service;
mod settings;
mod signed;
mod step;
mod userinfo;
mod waiting;

pub use self::{
    admission::{Admission, Collecting},
    resume::Continuation,
    settings::{Endpoint, OnStoreFailure, Rotation},
    step::{Confirm, Effect, Find, FindFor, Pending, Rank, SigningJob, Step, Unavailable},
    waiting::{
        AfterCheckActive, AfterCheckSignature, AfterFind, AfterRemember, AfterSettle, AfterSign, Confirming, Rejecting,
        Throttling, UsingRefreshToken, Verifying,
    },
};
