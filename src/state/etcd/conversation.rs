//! One question to etcd: a transaction, and again where another proxy was quicker or a lease has to be granted first.

use std::sync::Arc;

use super::{
    Etcd,
    lease::Lease,
    outcome::{self, Answered, Held, KeyValue},
    transaction::Transaction,
};
use crate::{
    outbound::{Callout, CalloutAnswer, Fault},
    time::UnixTime,
};

/// What etcd is asked.
pub trait EtcdQuestion: Clone {
    /// What it is answered with.
    type Answer: Clone;

    /// What is tried first.
    fn first(&self, prefix: &str, now: UnixTime) -> Attempt<Self::Answer>;

    /// What comes of what is there.
    ///
    /// # Errors
    /// It is nothing that was asked for.
    fn judge(&self, prefix: &str, found: &[Option<KeyValue>], now: UnixTime) -> Result<Ruling<Self::Answer>, Fault>;

    /// Whether nothing is to be remembered, so that the answer matters only to who asked.
    fn only_asks(&self) -> bool;
}

/// A question under way.
#[derive(Clone)]
pub struct Conversation<Q: EtcdQuestion> {
    etcd: Arc<Etcd>,
    question: Q,
    attempt: Attempt<Q::Answer>,
    stage: ConversationStage,
    calls_left: u32,
}

/// What follows an answer.
pub enum Next<Q: EtcdQuestion> {
    /// Another call.
    Call(Conversation<Q>),
    /// It is answered.
    Answer(Q::Answer),
}

/// A transaction that is tried.
#[derive(Clone)]
pub struct Attempt<A> {
    /// What is sent.
    pub(crate) transaction: Transaction,
    /// The answer if its guards hold. None where it first has to be seen what is there.
    pub(crate) reply: Option<A>,
}

/// What comes of what was found.
pub enum Ruling<A> {
    /// The answer.
    Reply(A),
    /// Another transaction.
    Attempt(Attempt<A>),
}

#[derive(Clone, Copy)]
enum ConversationStage {
    /// The transaction was sent.
    Trying,
    /// Its lease is being granted.
    Granting(Lease),
}

/// The most calls for one question. One is usual, and two are where many ask the same at once; more come of a bucket of
/// attempts that many change.
const MOST_CALLS: u32 = 16;

impl<Q: EtcdQuestion> Conversation<Q> {
    /// Asks.
    pub fn begin(etcd: &Arc<Etcd>, question: Q, now: UnixTime) -> Self {
        let attempt = question.first(&etcd.key_prefix, now);
        Self { etcd: Arc::clone(etcd), question, attempt, stage: ConversationStage::Trying, calls_left: MOST_CALLS - 1 }
    }

    /// Whether nothing is to be remembered, so that the answer matters only to who asked.
    pub(crate) fn only_asks(&self) -> bool {
        self.question.only_asks()
    }

    /// What is to be sent next.
    ///
    /// It may be sent again if no answer comes. Where the lost call had been carried out, a claim is then one that comes
    /// again, for which there is the grace, and a failure counts twice.
    pub fn callout(&self, now: UnixTime) -> Callout {
        match self.stage {
            ConversationStage::Trying => self.etcd.callout("/kv/txn", self.attempt.transaction.to_json()),
            ConversationStage::Granting(lease) => self.etcd.callout("/lease/grant", lease.to_json(now)),
        }
    }

    /// Whom it is with.
    pub(crate) fn etcd(&self) -> &Etcd {
        &self.etcd
    }

    /// Takes an answer.
    ///
    /// # Errors
    /// It is not one that etcd gives, or others changed the same thing too often meanwhile.
    pub fn answer(self, answer: &CalloutAnswer, now: UnixTime) -> Result<Next<Q>, Fault> {
        match self.stage {
            ConversationStage::Trying => self.tried(answer, now),
            ConversationStage::Granting(_) => {
                outcome::read_grant(answer)?;
                Self { stage: ConversationStage::Trying, ..self }.call()
            }
        }
    }

    fn tried(self, answer: &CalloutAnswer, now: UnixTime) -> Result<Next<Q>, Fault> {
        let outcome = match self.attempt.transaction.read(answer)? {
            Answered::TransactionResult(outcome) => outcome,
            Answered::Missing(lease) => return Self { stage: ConversationStage::Granting(lease), ..self }.call(),
        };
        match (outcome.held, self.attempt.reply) {
            (Held::All, Some(reply)) => Ok(Next::Answer(reply)),
            _ => match self.question.judge(&self.etcd.key_prefix, &outcome.found, now)? {
                Ruling::Reply(reply) => Ok(Next::Answer(reply)),
                Ruling::Attempt(attempt) => Self { attempt, ..self }.call(),
            },
        }
    }

    fn call(self) -> Result<Next<Q>, Fault> {
        let calls_left = self.calls_left.checked_sub(1).ok_or(Fault::Contended)?;
        Ok(Next::Call(Self { calls_left, ..self }))
    }
}
