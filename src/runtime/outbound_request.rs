//! What is asked over HTTP, of whom, and who waits for the answer: a directory or the state store.

use std::{mem, sync::Arc};

use super::{
    answer,
    host::Host,
    known::Known,
    upstream_id::UpstreamId,
    waiter::{Called, Resumption, Ticket, Waiter},
};
use crate::{
    attempts::Counting,
    endpoint::{
        AfterAttempt, AfterCheckActive, AfterFind, AfterRemember, Confirm, Confirming, Continuation, Find, Unavailable,
        UsingRefreshToken,
    },
    outbound::{CallLimits, Callout, CalloutAnswer, Fault},
    registry::{
        auth_source::Directory,
        remote::{Lookup, Verify},
        user::{Found, User},
    },
    state::{
        RefreshTokenUse, Revoke, TokenInUse,
        etcd::{Conversation, EtcdQuestion, Next},
    },
    time::UnixTime,
};

/// A question to someone outside.
pub(super) enum OutboundRequest {
    /// To a directory: who is this?
    Find(Asked<Find, AfterFind>),
    /// To a directory: is this the password?
    Confirm(Asked<Confirm, Confirming>),
    /// To the state store: may this guess be made, or what came of it?
    Attempt(Asked<Conversation<Counting>, AfterAttempt>),
    /// To the state store: may this refresh token be used?
    RefreshTokenUse(Asked<Conversation<RefreshTokenUse>, UsingRefreshToken>),
    /// To the state store: is this token good still?
    CheckActive(Asked<Conversation<TokenInUse>, AfterCheckActive>),
    /// To the state store: this has ended.
    Remember(Asked<Conversation<Revoke>, AfterRemember>),
}

/// A question, and all who wait for its answer.
pub(super) struct Asked<Q, K> {
    /// What is asked.
    pub question: Q,
    /// Who waits.
    pub waiters: Vec<Waiter<K>>,
}

/// How far an answer has brought a question.
pub(super) enum Progress {
    /// It is answered.
    Done(Vec<Called>),
    /// There is more to ask.
    Further(OutboundRequest),
    /// The answer was none.
    Failed(OutboundRequest, Fault),
}

impl<Q, K: Continuation> Asked<Q, K> {
    /// By one.
    pub(super) fn by(question: Q, waiter: Waiter<K>) -> Self {
        Self { question, waiters: vec![waiter] }
    }

    fn answer(self, result: &Result<K::Result, Unavailable>, called: fn(Resumption<K>) -> Called) -> Vec<Called>
    where
        K::Result: Clone,
    {
        self.waiters.into_iter().map(|waiter| called(waiter.ready(result.clone()))).collect()
    }

    fn forget(&mut self, ticket: Ticket) -> bool {
        self.waiters.retain(|waiter| waiter.ticket != ticket);
        self.waiters.is_empty()
    }
}

impl<Q: EtcdQuestion, K: Continuation<Result = Q::Answer>> Asked<Conversation<Q>, K> {
    fn read(
        self,
        answer: &CalloutAnswer,
        now: UnixTime,
        errand: fn(Self) -> OutboundRequest,
        called: fn(Resumption<K>) -> Called,
    ) -> Progress {
        match self.question.clone().answer(answer, now) {
            Ok(Next::Answer(answer)) => Progress::Done(self.answer(&Ok(answer), called)),
            Ok(Next::Call(question)) => Progress::Further(errand(Self { question, ..self })),
            Err(fault) => Progress::Failed(errand(self), fault),
        }
    }
}

impl OutboundRequest {
    /// Who is asked.
    pub(super) fn party(&self) -> UpstreamId {
        match self {
            Self::Find(Asked { question: find, .. }) | Self::Confirm(Asked { question: Confirm { find, .. }, .. }) => {
                UpstreamId::AuthSource(find.auth_source.id.clone())
            }
            Self::Attempt(_) | Self::RefreshTokenUse(_) | Self::CheckActive(_) | Self::Remember(_) => {
                UpstreamId::StateStore
            }
        }
    }

    /// Whether the answer matters only to who waits for it. A password that is confirmed is a guess, to be counted.
    pub(super) fn only_asks(&self) -> bool {
        !matches!(self, Self::Confirm(_)) && !self.is_to_be_remembered()
    }

    /// Whether something is to be remembered, whoever is there to see it.
    pub(super) fn is_to_be_remembered(&self) -> bool {
        match self {
            Self::Find(_) | Self::Confirm(_) => false,
            Self::Attempt(asked) => !asked.question.only_asks(),
            Self::RefreshTokenUse(asked) => !asked.question.only_asks(),
            Self::CheckActive(asked) => !asked.question.only_asks(),
            Self::Remember(asked) => !asked.question.only_asks(),
        }
    }

    /// What it may cost. None where the directory is not asked over HTTP.
    pub(super) fn limits(&self) -> Option<&CallLimits> {
        match self {
            Self::Find(asked) => lookup(&asked.question).map(|lookup| &lookup.limits),
            Self::Confirm(asked) => verify(&asked.question).map(|verify| &verify.limits),
            Self::Attempt(asked) => Some(&asked.question.etcd().limits),
            Self::RefreshTokenUse(asked) => Some(&asked.question.etcd().limits),
            Self::CheckActive(asked) => Some(&asked.question.etcd().limits),
            Self::Remember(asked) => Some(&asked.question.etcd().limits),
        }
    }

    /// Whether it may be sent again where no answer came.
    pub(super) fn is_idempotent(&self) -> bool {
        match self {
            Self::Find(asked) => lookup(&asked.question).is_some_and(Lookup::is_idempotent),
            Self::Confirm(_) => false,
            Self::Attempt(_) | Self::RefreshTokenUse(_) | Self::CheckActive(_) | Self::Remember(_) => true,
        }
    }

    /// What is sent. None where nobody has to be asked, because nobody can have that name.
    pub(super) fn callout(&self, now: UnixTime) -> Option<Callout> {
        match self {
            Self::Find(Asked { question: find, .. }) => {
                lookup(find)?.callout(&find.auth_source.id, &find.identifier, find.traceparent.as_deref())
            }
            Self::Confirm(Asked { question, .. }) => {
                let Confirm { find, password } = question;
                let traceparent = find.traceparent.as_deref();
                verify(question)?.callout(&find.auth_source.id, &find.identifier, password, traceparent)
            }
            Self::Attempt(asked) => Some(asked.question.callout(now)),
            Self::RefreshTokenUse(asked) => Some(asked.question.callout(now)),
            Self::CheckActive(asked) => Some(asked.question.callout(now)),
            Self::Remember(asked) => Some(asked.question.callout(now)),
        }
    }

    /// The answer where nothing is sent.
    pub(super) fn nobody(self) -> Vec<Called> {
        match self {
            Self::Find(asked) => {
                let found = lookup(&asked.question).map(Lookup::nobody).ok_or(Unavailable::SOON);
                asked.answer(&found, Called::Find)
            }
            Self::Confirm(asked) => asked.answer(&Ok(None), Called::Confirm),
            store => store.unavailable(),
        }
    }

    /// The answer where none can be had.
    pub(super) fn unavailable(self) -> Vec<Called> {
        match self {
            Self::Find(asked) => asked.answer(&Err(Unavailable::SOON), Called::Find),
            Self::Confirm(asked) => asked.answer(&Err(Unavailable::SOON), Called::Confirm),
            Self::Attempt(asked) => asked.answer(&Err(Unavailable::SOON), Called::Attempt),
            Self::RefreshTokenUse(asked) => asked.answer(&Err(Unavailable::SOON), Called::RefreshTokenUse),
            Self::CheckActive(asked) => asked.answer(&Err(Unavailable::SOON), Called::CheckActive),
            Self::Remember(asked) => asked.answer(&Err(Unavailable::SOON), Called::Remember),
        }
    }

    /// The answer where it is known; then nobody waits any more.
    pub(super) fn known(&mut self, known: &Known, now: UnixTime) -> Option<Vec<Called>> {
        let Self::Find(asked) = self else { return None };
        let found = known.get(&asked.question, lookup(&asked.question)?, now)?;
        let waiters = mem::take(&mut asked.waiters).into_iter();
        Some(waiters.map(|waiter| Called::Find(waiter.ready(Ok(found.clone())))).collect())
    }

    /// Waits with those who ask the same, if somebody does: two logins by one name do; two passwords never do, nor do two
    /// claims.
    pub(super) fn join<'a>(&mut self, mut others: impl Iterator<Item = &'a mut Self>) -> bool {
        let Self::Find(asked) = self else { return false };
        let waiters = others.find_map(|other| other.waiters_for(&asked.question));
        waiters.map(|waiters| waiters.append(&mut asked.waiters)).is_some()
    }

    fn waiters_for(&mut self, find: &Find) -> Option<&mut Vec<Waiter<AfterFind>>> {
        let Self::Find(Asked { question: other, waiters }) = self else { return None };
        let is_the_same = find.identifier == other.identifier && find.auth_source.id == other.auth_source.id;
        is_the_same.then_some(waiters)
    }

    /// Drops who waits for this stream. True if nobody waits any more.
    pub(super) fn forget(&mut self, ticket: Ticket) -> bool {
        match self {
            Self::Find(asked) => asked.forget(ticket),
            Self::Confirm(asked) => asked.forget(ticket),
            Self::Attempt(asked) => asked.forget(ticket),
            Self::RefreshTokenUse(asked) => asked.forget(ticket),
            Self::CheckActive(asked) => asked.forget(ticket),
            Self::Remember(asked) => asked.forget(ticket),
        }
    }

    /// What the answer at hand says.
    pub(super) fn read(self, known: &mut Known, body_size: usize, host: &impl Host) -> Progress {
        let limit = self.limits().map_or(0, |limits| limits.max_response_bytes);
        let answer = match answer::whole(host, body_size, limit) {
            Ok(answer) => answer,
            Err(fault) => return Progress::Failed(self, fault),
        };
        let now = host.now();
        match self {
            Self::Find(asked) => match read_lookup(&asked.question, &answer, known, now) {
                Ok(found) => Progress::Done(asked.answer(&Ok(found), Called::Find)),
                Err(fault) => Progress::Failed(Self::Find(asked), fault),
            },
            Self::Confirm(asked) => match read_verify(&asked.question, &answer) {
                Ok(user) => Progress::Done(asked.answer(&Ok(user), Called::Confirm)),
                Err(fault) => Progress::Failed(Self::Confirm(asked), fault),
            },
            Self::Attempt(asked) => asked.read(&answer, now, Self::Attempt, Called::Attempt),
            Self::RefreshTokenUse(asked) => asked.read(&answer, now, Self::RefreshTokenUse, Called::RefreshTokenUse),
            Self::CheckActive(asked) => asked.read(&answer, now, Self::CheckActive, Called::CheckActive),
            Self::Remember(asked) => asked.read(&answer, now, Self::Remember, Called::Remember),
        }
    }
}

fn lookup(find: &Find) -> Option<&Lookup> {
    match &find.auth_source.directory {
        Directory::Lookup(lookup) => Some(lookup),
        Directory::Users(_) | Directory::Snapshot(_) | Directory::Verify(_) => None,
    }
}

fn verify(confirm: &Confirm) -> Option<&Verify> {
    match &confirm.find.auth_source.directory {
        Directory::Verify(verify) => Some(verify),
        Directory::Users(_) | Directory::Snapshot(_) | Directory::Lookup(_) => None,
    }
}

fn read_lookup(find: &Find, answer: &CalloutAnswer, known: &mut Known, now: UnixTime) -> Result<Found, Fault> {
    let lookup = lookup(find).ok_or(Fault::NoAnswer)?;
    Ok(known.learn(find, lookup, lookup.read(answer)?, now))
}

fn read_verify(confirm: &Confirm, answer: &CalloutAnswer) -> Result<Option<Arc<User>>, Fault> {
    verify(confirm).ok_or(Fault::NoAnswer)?.read(answer, &confirm.find.identifier)
}
