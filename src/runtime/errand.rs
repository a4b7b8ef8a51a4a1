//! What is asked over HTTP, and of whom: a directory or the state store.

use std::fmt;

use super::{
    answer,
    host::Host,
    metrics::{Histogram, Times},
};
use crate::{
    endpoint::{Answer, Confirm, Find},
    outbound::{CallLimits, Callout, Fault},
    registry::{
        auth_source::Directory,
        identifier::Identifier,
        remote::{CacheLimits, Lookup, Verify},
    },
    secret::Secret,
    state::etcd::{Conversation, Next, Reply},
    time::UnixTime,
};

/// A question to someone outside.
pub enum Errand {
    /// To a directory: who is this?
    Find(Find),
    /// To a directory: is this the password?
    Confirm(Confirm),
    /// To the state store.
    Remember(Conversation),
}

/// Someone outside.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Party {
    /// The directory of the auth source with this id.
    AuthSource(String),
    /// The store of states.
    StateStore,
}

impl Party {
    /// Where the time is recorded that its answers take.
    pub fn times(&self, times: &Times) -> Histogram {
        match self {
            Self::AuthSource(_) => times.directory,
            Self::StateStore => times.state_store,
        }
    }
}

/// How far an answer has brought a question.
pub enum Progress {
    /// It is answered.
    Done(Answer),
    /// There is more to ask.
    Further(Errand),
}

/// Someone who answers calls.
#[derive(Clone, Copy)]
enum Service<'a> {
    Lookup(&'a Find, &'a Lookup),
    Verify(&'a Find, &'a Verify, &'a Secret),
    Store(&'a Conversation),
}

impl Errand {
    /// Who is asked.
    pub fn party(&self) -> Party {
        match self {
            Self::Find(find) | Self::Confirm(Confirm { find, .. }) => Party::AuthSource(find.auth_source.id.clone()),
            Self::Remember(_) => Party::StateStore,
        }
    }

    /// Whether the answer matters only to who waits for it. A password that is confirmed is a guess, to be counted.
    pub fn only_asks(&self) -> bool {
        !matches!(self, Self::Confirm(_)) && !self.is_to_be_remembered()
    }

    /// Whether something is to be remembered, whoever is there to see it.
    pub fn is_to_be_remembered(&self) -> bool {
        matches!(self, Self::Remember(conversation) if !conversation.only_asks())
    }

    fn service(&self) -> Option<Service<'_>> {
        match self {
            Self::Find(find) => match &find.auth_source.directory {
                Directory::Lookup(lookup) => Some(Service::Lookup(find, lookup)),
                _ => None,
            },
            Self::Confirm(Confirm { find, password }) => match &find.auth_source.directory {
                Directory::Lookup(lookup) => Some(Service::Lookup(find, lookup)),
                Directory::Verify(verify) => Some(Service::Verify(find, verify, password)),
                _ => None,
            },
            Self::Remember(conversation) => Some(Service::Store(conversation)),
        }
    }

    /// What it may cost.
    pub fn limits(&self) -> Option<&CallLimits> {
        match self.service()? {
            Service::Lookup(_, lookup) => Some(&lookup.limits),
            Service::Verify(_, verify, _) => Some(&verify.limits),
            Service::Store(conversation) => Some(&conversation.etcd().limits),
        }
    }

    /// Whose answer may be kept, and for how long.
    pub fn cached(&self) -> Option<(&Identifier, &CacheLimits)> {
        match self.service()? {
            Service::Lookup(find, lookup) => Some((&find.identifier, lookup.cache.as_ref()?)),
            Service::Verify(..) | Service::Store(_) => None,
        }
    }

    /// Whether it may be sent again where no answer came.
    pub fn is_idempotent(&self) -> bool {
        match self.service() {
            Some(Service::Lookup(_, lookup)) => lookup.is_idempotent(),
            Some(Service::Store(_)) => true,
            Some(Service::Verify(..)) | None => false,
        }
    }

    /// Two logins by one name ask the same; two passwords never do, nor do two claims.
    pub fn is_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Find(find), Self::Find(other)) => {
                find.identifier == other.identifier && find.auth_source.id == other.auth_source.id
            }
            _ => false,
        }
    }

    /// None where nobody has to be asked, because nobody can have that name.
    pub fn callout(&self, now: UnixTime) -> Option<Callout> {
        match self.service()? {
            Service::Lookup(Find { auth_source, identifier, traceparent }, lookup) => {
                lookup.callout(&auth_source.id, identifier, traceparent.as_deref())
            }
            Service::Verify(Find { auth_source, identifier, traceparent }, verify, password) => {
                verify.callout(&auth_source.id, identifier, password, traceparent.as_deref())
            }
            Service::Store(conversation) => Some(conversation.callout(now)),
        }
    }

    /// The answer where nobody has that name.
    pub fn nobody(&self) -> Answer {
        match self.service() {
            Some(Service::Lookup(_, lookup)) => Answer::Found(lookup.nobody()),
            Some(Service::Verify(..) | Service::Store(_)) | None => Answer::Confirmed(None),
        }
    }

    /// What the answer at hand says.
    pub fn read(&self, body_size: usize, now: UnixTime, host: &impl Host) -> Result<Progress, Fault> {
        let service = self.service().ok_or(Fault::NoAnswer)?;
        let limit = self.limits().map_or(0, |limits| limits.max_response_bytes);
        let answer = answer::whole(host, body_size, limit)?;
        match service {
            Service::Lookup(_, lookup) => lookup.read(&answer).map(Answer::Found).map(Progress::Done),
            Service::Verify(find, verify, _) => {
                verify.read(&answer, &find.identifier).map(Answer::Confirmed).map(Progress::Done)
            }
            Service::Store(conversation) => conversation.clone().answer(&answer, now).map(Progress::from),
        }
    }
}

impl From<Next> for Progress {
    fn from(next: Next) -> Self {
        match next {
            Next::Call(conversation) => Self::Further(Errand::Remember(conversation)),
            Next::Answer(Reply::State(answer)) => Self::Done(Answer::State(answer)),
            Next::Answer(Reply::Wait(0)) => Self::Done(Answer::Allowed),
            Next::Answer(Reply::Wait(retry_after)) => Self::Done(Answer::Limited { retry_after }),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthSource(id) => write!(f, "auth source {id}"),
            Self::StateStore => f.write_str("state store"),
        }
    }
}
