//! What is remembered between requests: in values that all workers share, for all workers of the process, or in an etcd that a
//! whole fleet asks.

use std::sync::Arc;

use super::{attempts::AttemptTable, families::FamilyTable, host::Host};
use crate::{
    attempts::{AttemptQuestion, Limits, TableKey},
    endpoint::{Unavailable, attempt::Counters},
    state::{
        Question,
        etcd::{Conversation, Etcd, EtcdQuestion},
    },
};

/// Remembers tokens and attempts.
pub(super) struct Memory {
    families: Families,
    attempts: Attempts,
}

/// How a question is answered.
pub(super) enum StoreAnswer<Q: EtcdQuestion> {
    /// At once.
    Ready(Result<Q::Answer, Unavailable>),
    /// By a call.
    NeedsCallout(Conversation<Q>),
}

enum Families {
    Here(FamilyTable),
    Elsewhere(Arc<Etcd>),
}

enum Attempts {
    Here(AttemptTable),
    Elsewhere(Arc<Etcd>, TableKey, Limits),
}

impl Memory {
    /// Opens the tables that are here. None if the host can't share data.
    pub(super) fn open(
        etcd: Option<Arc<Etcd>>,
        shared_attempts: Option<TableKey>,
        limits: Limits,
        host: &impl Host,
    ) -> Option<Self> {
        let attempts = match (&etcd, shared_attempts) {
            (Some(etcd), Some(key)) => Attempts::Elsewhere(Arc::clone(etcd), key, limits),
            _ => Attempts::Here(AttemptTable::open(limits, host)?),
        };
        let families = match etcd {
            Some(etcd) => Families::Elsewhere(etcd),
            None => Families::Here(FamilyTable::open(host)?),
        };
        Some(Self { families, attempts })
    }

    /// A question of a token.
    pub(super) fn token<A, Q>(&self, question: Q, host: &impl Host) -> StoreAnswer<Q>
    where
        Q: Question<Answer = A> + EtcdQuestion<Answer = A>,
    {
        match &self.families {
            Families::Here(table) => StoreAnswer::Ready(table.answer(&question, host)),
            Families::Elsewhere(etcd) => StoreAnswer::NeedsCallout(Conversation::begin(etcd, question, host.now())),
        }
    }

    /// A question about a guess.
    pub(super) fn attempt<Q: AttemptQuestion>(
        &self,
        question: impl Fn(Counters) -> Q,
        host: &impl Host,
    ) -> StoreAnswer<Q> {
        match &self.attempts {
            Attempts::Here(table) => StoreAnswer::Ready(table.answer(question, host)),
            Attempts::Elsewhere(etcd, key, limits) => {
                let question = question(Counters { key, limits });
                StoreAnswer::NeedsCallout(Conversation::begin(etcd, question, host.now()))
            }
        }
    }
}
