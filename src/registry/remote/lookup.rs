//! `lookup`: one call per login, the answer of which is mapped to a user.

use std::{hint::black_box, sync::Arc};

use super::{
    CacheLimits, HttpMethod, Upstream,
    mapping::{Record, UserMapping},
    template::Values,
};
use crate::{
    crypto::password::PasswordHash,
    outbound::{CallLimits, Callout, CalloutAnswer, Fault},
    registry::{
        identifier::Identifier,
        user::{Account, Found},
    },
};

/// A service that is asked for one user at a time.
#[derive(Debug)]
pub struct Lookup {
    /// Where it is, and what it is sent.
    pub(crate) upstream: Upstream,
    /// How much a call may cost.
    pub limits: CallLimits,
    /// How long an answer is good for, if it is kept at all.
    pub cache: Option<CacheLimits>,
    /// How long an answer is good for where it only tells whether a token is.
    pub(crate) status_cache: CacheLimits,
    /// A hash that costs what users' hashes cost there.
    pub decoy: Option<Arc<PasswordHash>>,
    /// The statuses that mean that there is no such user.
    pub(crate) not_found: Vec<u16>,
    /// Where in an answer the user is: a JSON Pointer.
    pub(crate) at: String,
    /// Where in the user the password's hash is: a JSON Pointer.
    pub(crate) password_hash: String,
    /// Where in the user everything else is.
    pub(crate) mapping: UserMapping,
    /// Whether hashes below OWASP's minimum are accepted.
    pub(crate) allow_weak_hashes: bool,
}

impl Lookup {
    /// What to send to find a user. None where nobody can have that name, because the path would lead elsewhere with it.
    pub fn callout(&self, auth_source_id: &str, identifier: &Identifier, traceparent: Option<&str>) -> Option<Callout> {
        let values = Values { auth_source_id, identifier: Some(identifier), password: None };
        self.upstream.callout(&values, traceparent)
    }

    /// What the answer says.
    ///
    /// # Errors
    /// The answer says nothing of any user, or has one that can't be used.
    pub fn read(&self, answer: &CalloutAnswer) -> Result<Found, Fault> {
        self.read_evenly(answer, None)
    }

    /// The same. Where nobody is in the answer, an example is read that has a user, so that time doesn't tell.
    ///
    /// # Errors
    /// As of the same.
    pub(crate) fn read_evenly(&self, answer: &CalloutAnswer, example: Option<&CalloutAnswer>) -> Result<Found, Fault> {
        if let Some(found) = self.find(answer)? {
            return Ok(found);
        }
        drop(black_box(example.map(|example| self.find(example))));
        Ok(self.nobody())
    }

    /// Nobody, at the cost of somebody.
    pub fn nobody(&self) -> Found {
        Found::NotFound { decoy: self.decoy.clone() }
    }

    /// Whether it may be asked the same again where no answer came.
    pub fn is_idempotent(&self) -> bool {
        self.upstream.method == HttpMethod::Get
    }

    fn find(&self, answer: &CalloutAnswer) -> Result<Option<Found>, Fault> {
        if self.not_found.contains(&answer.status) {
            return Ok(None);
        }
        let body = answer.json()?;
        Record::find(&body, &self.at)?.map(|record| self.found(record)).transpose()
    }

    fn found(&self, record: Record) -> Result<Found, Fault> {
        let user = self.mapping.user(record, "")?;
        match record.password_hash(&self.password_hash, self.allow_weak_hashes)? {
            Some(hash) => Ok(Found::Account(Account { user: Arc::new(user), password_hash: Arc::new(hash) })),
            None => Ok(self.nobody()),
        }
    }
}
