//! What is asked over HTTP, of whom, and who waits for the answer: a directory or the state store.

use std::{mem, sync::Arc, time::Instant};

use super::{
    answer,
    host::Host,
    known::Known,
    upstream_id::UpstreamId,
    waiter::{Called, Ticket, Waiter},
};
use crate::{
    endpoint::{AfterFind, Confirm, Confirming, Continuation, Find, FindFor, Unavailable},
    outbound::{CallLimits, Callout, CalloutAnswer, Fault},
    registry::{
        auth_source::Directory,
        remote::{Lookup, Verify},
        user::{Found, User},
    },
    state::etcd::{Conversation, Etcd, EtcdQuestion, Next},
    time::UnixTime,
};

/// A question to someone outside.
pub(super) enum OutboundRequest {
    /// To a directory: who is this?
    Find(Asked<Find, AfterFind>),
    /// To a directory: is this the password?
    Confirm(Asked<Confirm, Confirming>),
    /// To the state store.
    Store(Box<dyn StoreRequest>),
}

/// A question, and all who wait for its answer.
pub(super) struct Asked<Q, K> {
    /// What is asked.
    pub(crate) question: Q,
    /// Who waits.
    pub(crate) waiters: Vec<Waiter<K>>,
}

/// How far an answer has brought a question.
pub(super) enum CallProgress {
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

    fn answer(self, result: &Result<K::Result, Unavailable>) -> Vec<Called>
    where
        K: 'static,
        K::Result: Clone + 'static,
    {
        self.waiters.into_iter().map(|waiter| waiter.ready(result.clone())).collect()
    }

    fn forget(&mut self, ticket: Ticket) -> bool {
        self.waiters.retain(|waiter| waiter.ticket != ticket);
        self.waiters.is_empty()
    }
}

/// Any question to the state store.
pub(super) trait StoreRequest {
    /// Whether nothing is to be remembered, so that the answer matters only to who asked.
    fn only_asks(&self) -> bool;

    /// Which store.
    fn etcd(&self) -> &Etcd;

    /// What is sent next.
    fn callout(&self, now: UnixTime) -> Callout;

    /// Drops who waits for this stream. True if nobody waits any more.
    fn forget(&mut self, ticket: Ticket) -> bool;

    /// What an answer says.
    fn read(self: Box<Self>, answer: &CalloutAnswer, now: UnixTime) -> CallProgress;

    /// The answer where none can be had.
    fn unavailable(self: Box<Self>) -> Vec<Called>;
}

impl<Q, K> StoreRequest for Asked<Conversation<Q>, K>
where
    Q: EtcdQuestion + 'static,
    K: Continuation<Result = Q::Answer> + 'static,
{
    fn only_asks(&self) -> bool {
        self.question.only_asks()
    }

    fn etcd(&self) -> &Etcd {
        self.question.etcd()
    }

    fn callout(&self, now: UnixTime) -> Callout {
        self.question.callout(now)
    }

    fn forget(&mut self, ticket: Ticket) -> bool {
        Asked::forget(self, ticket)
    }

    fn read(self: Box<Self>, answer: &CalloutAnswer, now: UnixTime) -> CallProgress {
        match self.question.clone().answer(answer, now) {
            Ok(Next::Answer(answer)) => CallProgress::Done(self.answer(&Ok(answer))),
            Ok(Next::Call(question)) => {
                CallProgress::Further(OutboundRequest::Store(Box::new(Self { question, ..*self })))
            }
            Err(fault) => CallProgress::Failed(OutboundRequest::Store(self), fault),
        }
    }

    fn unavailable(self: Box<Self>) -> Vec<Called> {
        self.answer(&Err(Unavailable::SOON))
    }
}

impl OutboundRequest {
    /// Who is asked.
    pub(super) fn upstream_id(&self) -> UpstreamId {
        match self {
            Self::Find(Asked { question: find, .. }) | Self::Confirm(Asked { question: Confirm { find, .. }, .. }) => {
                UpstreamId::AuthSource(find.auth_source.id.clone())
            }
            Self::Store(_) => UpstreamId::StateStore,
        }
    }

    /// Whether the answer matters only to who waits for it. A password that is confirmed is a guess, to be counted.
    pub(super) fn only_asks(&self) -> bool {
        !matches!(self, Self::Confirm(_)) && !self.is_to_be_remembered()
    }

    /// Whether something is to be remembered, whoever is there to see it.
    pub(super) fn is_to_be_remembered(&self) -> bool {
        matches!(self, Self::Store(asked) if !asked.only_asks())
    }

    /// Whether it leaves room for others where an upstream is busy: who logs in comes before who asks about a token.
    pub(super) fn comes_second(&self) -> bool {
        matches!(self, Self::Find(asked) if asked.question.purpose == FindFor::Status)
    }

    /// What it may cost. None where the directory is not asked over HTTP.
    pub(super) fn limits(&self) -> Option<&CallLimits> {
        match self {
            Self::Find(asked) => lookup(&asked.question).map(|lookup| &lookup.limits),
            Self::Confirm(asked) => verify(&asked.question).map(|verify| &verify.limits),
            Self::Store(asked) => Some(&asked.etcd().limits),
        }
    }

    /// Whether it may be sent again where no answer came.
    pub(super) fn is_idempotent(&self) -> bool {
        match self {
            Self::Find(asked) => lookup(&asked.question).is_some_and(Lookup::is_idempotent),
            Self::Confirm(_) => false,
            Self::Store(_) => true,
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
            Self::Store(asked) => Some(asked.callout(now)),
        }
    }

    /// The answer where nothing is sent.
    pub(super) fn nobody(self) -> Vec<Called> {
        match self {
            Self::Find(asked) => {
                let found = lookup(&asked.question).map(Lookup::nobody).ok_or(Unavailable::SOON);
                asked.answer(&found)
            }
            Self::Confirm(asked) => asked.answer(&Ok(None)),
            Self::Store(asked) => asked.unavailable(),
        }
    }

    /// The answer where none can be had.
    pub(super) fn unavailable(self, fault: &Fault) -> Vec<Called> {
        let unavailable = Unavailable { by_record: matches!(fault, Fault::Record(_)), ..Unavailable::SOON };
        match self {
            Self::Find(asked) => asked.answer(&Err(unavailable)),
            Self::Confirm(asked) => asked.answer(&Err(unavailable)),
            Self::Store(asked) => asked.unavailable(),
        }
    }

    /// The answer where it is known; then nobody waits any more.
    pub(super) fn known(&mut self, known: &Known, now: Instant) -> Option<Vec<Called>> {
        let Self::Find(asked) = self else { return None };
        let found = known.get(&asked.question, lookup(&asked.question)?, now)?;
        let waiters = mem::take(&mut asked.waiters).into_iter();
        Some(waiters.map(|waiter| waiter.ready(Ok(found.clone()))).collect())
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
            Self::Store(asked) => asked.forget(ticket),
        }
    }

    /// What the answer at hand says.
    pub(super) fn read(self, known: &mut Known, body_size: usize, host: &impl Host) -> CallProgress {
        let limit = self.limits().map_or(0, |limits| limits.max_response_bytes);
        let answer = match answer::whole(host, body_size, limit) {
            Ok(answer) => answer,
            Err(fault) => {
                let fault = self.blame(fault, answer::status(host));
                return CallProgress::Failed(self, fault);
            }
        };
        let (status, now) = (answer.status, host.now());
        let progress = match self {
            Self::Find(asked) => match read_lookup(&asked.question, answer, known, host.monotonic()) {
                Ok(found) => CallProgress::Done(asked.answer(&Ok(found))),
                Err(fault) => CallProgress::Failed(Self::Find(asked), fault),
            },
            Self::Confirm(asked) => match read_verify(&asked.question, &answer) {
                Ok(user) => CallProgress::Done(asked.answer(&Ok(user))),
                Err(fault) => CallProgress::Failed(Self::Confirm(asked), fault),
            },
            Self::Store(asked) => asked.read(&answer, now),
        };
        match progress {
            CallProgress::Failed(request, fault) => {
                let fault = request.blame(fault, status);
                CallProgress::Failed(request, fault)
            }
            progress => progress,
        }
    }

    /// A directory that answers well is not to blame for what it has of one user, who must not shut it for others.
    fn blame(&self, fault: Fault, status: u16) -> Fault {
        match fault {
            Fault::TooLarge(_) | Fault::Malformed(_)
                if !matches!(self, Self::Store(_)) && (200..300).contains(&status) =>
            {
                Fault::Record(fault.to_string())
            }
            fault => fault,
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

fn read_lookup(find: &Find, answer: CalloutAnswer, known: &mut Known, now: Instant) -> Result<Found, Fault> {
    known.read(find, lookup(find).ok_or(Fault::NoAnswer)?, answer, now)
}

fn read_verify(confirm: &Confirm, answer: &CalloutAnswer) -> Result<Option<Arc<User>>, Fault> {
    verify(confirm).ok_or(Fault::NoAnswer)?.read(answer, &confirm.find.identifier)
}
