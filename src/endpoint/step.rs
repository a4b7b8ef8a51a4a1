//! What an exchange comes to with each step: its answer, or an effect and what goes on with the result of it.

use std::sync::Arc;

use super::{
    attempt::{PasswordGuess, PasswordSettlement, WrongSecret},
    event::Event,
    request_context::RequestContext,
    waiting::{
        AfterCheckActive, AfterCheckSignature, AfterFind, AfterRemember, AfterSettle, AfterSign, Confirming, Rejecting,
        Throttling, UsingRefreshToken, Verifying,
    },
};
use crate::{
    crypto::{jws::SigningKey, password::PasswordCheck},
    http::Response,
    registry::{auth_source::AuthSource, identifier::Identifier},
    secret::Secret,
    state::{RefreshTokenUse, Revoke, TokenInUse},
    token::presented::SignatureCheck,
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
    /// Something to be done, with the result of which [`Endpoint::resume`](super::Endpoint::resume) goes on.
    Ask(Effect),
}

/// What only the world outside the core can do, or do in time, and who goes on with the result.
#[derive(Debug)]
pub enum Effect {
    /// May this guess be made? Its place is reserved if so.
    Reserve(PasswordGuess, Pending<Throttling>),
    /// What has come of a guess. The result is what may be told.
    Settle(PasswordSettlement, Pending<AfterSettle>),
    /// A secret was wrong. The result are the seconds to wait: none where it was counted.
    WrongSecret(WrongSecret, Pending<Rejecting>),
    /// Who is this? A directory outside must be asked.
    Find(Find, Pending<AfterFind>),
    /// Is this the password? The directory checks it. The result is the user, if it is.
    Confirm(Confirm, Pending<Confirming>),
    /// Does the password match? It is long work, made to be done in slices.
    Verify(PasswordCheck, Rank, Pending<Verifying>),
    /// A signature in the form that JWS wants, by the host where it offers a faster one.
    Sign(SigningJob, Pending<AfterSign>),
    /// Is this signature good?
    CheckSignature(SignatureCheck, Pending<AfterCheckSignature>),
    /// May this refresh token be used, and which generation follows it?
    RefreshTokenUse(RefreshTokenUse, Pending<UsingRefreshToken>),
    /// Is this token good still?
    CheckActive(TokenInUse, Pending<AfterCheckActive>),
    /// A token, or a family of them, has ended: this is to be remembered.
    Remember(Revoke, Pending<AfterRemember>),
}

/// Whose work comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// That of everyone, usually.
    First,
    /// That of strangers while too many passwords are guessed through their client.
    Last,
}

/// An exchange that waits for a result: what is known of it, and what goes on.
#[derive(Debug)]
pub struct Pending<K> {
    about: RequestContext,
    then: K,
}

/// An effect could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// When to try again, in seconds.
    pub retry_after: u64,
    /// Whether what a directory has of this one user is the cause.
    pub by_record: bool,
}

impl<K> Pending<K> {
    pub(super) fn new(about: RequestContext, then: K) -> Self {
        Self { about, then }
    }

    /// What is known of the exchange.
    pub(crate) fn about(&self) -> RequestContext {
        self.about.clone()
    }

    pub(super) fn into_parts(self) -> (RequestContext, K) {
        (self.about, self.then)
    }
}

impl Unavailable {
    /// It may be there again at once.
    pub const SOON: Self = Self { retry_after: 1, by_record: false };
}

/// Someone to be found in a directory.
#[derive(Debug)]
pub struct Find {
    /// Whose directory.
    pub(crate) auth_source: Arc<AuthSource>,
    /// Who.
    pub(crate) identifier: Identifier,
    /// The trace that the call belongs to.
    pub(crate) traceparent: Option<String>,
    /// What for.
    pub(crate) purpose: FindFor,
}

/// What somebody is to be found for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindFor {
    /// To be given tokens.
    Tokens,
    /// To tell whether a token is good still. Logins come first where a directory is busy.
    Status,
}

/// A password to be checked by a directory.
#[derive(Debug)]
pub struct Confirm {
    /// Whose password, and where.
    pub(crate) find: Find,
    /// The password.
    pub(crate) password: Secret,
}

/// Something to sign.
#[derive(Debug)]
pub struct SigningJob {
    /// The key to sign with.
    pub key: Arc<SigningKey>,
    /// The bytes to sign.
    pub input: Arc<str>,
}
