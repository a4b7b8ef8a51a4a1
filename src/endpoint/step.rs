//! What an exchange comes to with each step: its answer, or a question and the answers that it may have.

use std::sync::Arc;

use super::{attempt::Attempt, event::Event, pending::Pending};
use crate::{
    crypto::{jws::SigningKey, password::PasswordCheck},
    http::Response,
    registry::{
        auth_source::AuthSource,
        identifier::Identifier,
        user::{Found, User},
    },
    secret::Secret,
    state::{StateAnswer, StateQuestion},
};

/// What an exchange needs next.
#[must_use]
#[derive(Debug)]
#[cfg_attr(
    not(target_family = "wasm"),
    expect(clippy::large_enum_variant, reason = "a step is moved to where it is performed and never kept")
)]
pub enum Step {
    /// Nothing more: this is the answer.
    Reply(Response, Event),
    /// An answer to the question, with which [`Endpoint::resume`](super::Endpoint::resume) goes on.
    Ask(Question, Pending),
}

/// What only the world outside the core can do, or do in time.
#[derive(Debug)]
pub enum Question {
    /// May this guess be made, or what came of it? Shared by all workers.
    Attempt(Attempt),
    /// Who is this? A directory outside must be asked.
    Find(Find),
    /// Is this the password? The directory checks it.
    Confirm(Confirm),
    /// Does the password match? It is long work, made to be done in slices.
    Verify(PasswordCheck),
    /// A signature, by the host where it offers a faster one.
    Sign(SigningJob),
    /// What is remembered of a token, or something to remember.
    State(StateQuestion),
}

/// Someone to be found in a directory.
#[derive(Debug)]
pub struct Find {
    /// Whose directory.
    pub auth_source: Arc<AuthSource>,
    /// Who.
    pub identifier: Identifier,
    /// The trace that the call belongs to.
    pub traceparent: Option<String>,
}

/// A password to be checked by a directory.
#[derive(Debug)]
pub struct Confirm {
    /// Whose password, and where.
    pub find: Find,
    /// The password.
    pub password: Secret,
}

/// Something to sign.
#[derive(Debug)]
pub struct SigningJob {
    /// The key to sign with.
    pub key: Arc<SigningKey>,
    /// The bytes to sign.
    pub input: Arc<str>,
}

/// The answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Question::Attempt`]: nobody has to wait, and what was to be counted is counted.
    Allowed,
    /// To [`Question::Attempt`]: there were too many failures.
    Limited {
        /// How long to wait, in seconds.
        retry_after: u64,
    },
    /// To [`Question::Find`]: whom the directory knows by that name.
    Found(Found),
    /// To [`Question::Confirm`]: the user, if the directory says that the password is right.
    Confirmed(Option<Arc<User>>),
    /// To [`Question::Verify`]: whether the password matches.
    Verified(bool),
    /// To [`Question::Sign`]: the signature in the form that JWS wants.
    Signed(Vec<u8>),
    /// To [`Question::State`].
    State(StateAnswer),
    /// The question could not be answered.
    Unavailable {
        /// When to try again, in seconds.
        retry_after: u64,
    },
}
