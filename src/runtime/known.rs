//! What a directory has told before.

use std::{sync::Arc, time::Instant};

use crate::{
    crypto::password::PasswordHash,
    endpoint::{Find, FindFor},
    outbound::{CalloutAnswer, Fault},
    registry::{
        remote::{Cache, Lookup},
        user::Found,
    },
};

/// What one directory has told one worker.
#[derive(Default)]
pub(super) struct Known {
    cache: Cache,
    statuses: Cache,
    example: Option<Arc<PasswordHash>>,
    /// The last answer with a user in it.
    answer: Option<CalloutAnswer>,
}

impl Known {
    /// What is known of someone, where answers may be kept.
    pub(super) fn get(&self, find: &Find, lookup: &Lookup, now: Instant) -> Option<Found> {
        match find.purpose {
            FindFor::Tokens => self.cache.get(&find.identifier, lookup.cache.as_ref()?, now),
            FindFor::Status => self.statuses.get(&find.identifier, &lookup.status_cache, now),
        }
    }

    /// What an answer says, at the cost of reading a user whether or not one is in it, and keeps it, where it may.
    ///
    /// # Errors
    /// The answer says nothing of any user, or has one that can't be used.
    pub(super) fn read(
        &mut self,
        find: &Find,
        lookup: &Lookup,
        answer: CalloutAnswer,
        now: Instant,
    ) -> Result<Found, Fault> {
        let found = lookup.read_evenly(&answer, self.answer.as_ref())?;
        if matches!(found, Found::Account(_)) {
            self.answer = Some(answer);
        }
        Ok(self.learn(find, lookup, found, now))
    }

    /// What is found is given back, with an example of the hashes there.
    fn learn(&mut self, find: &Find, lookup: &Lookup, found: Found, now: Instant) -> Found {
        if let Some(limits) = &lookup.cache {
            self.cache.put(&find.identifier, &found, limits, now);
        }
        self.statuses.put(&find.identifier, &found, &lookup.status_cache, now);
        self.with_example(found)
    }

    /// Where the configuration has no example of the hashes there, the last one that was seen is one.
    fn with_example(&mut self, found: Found) -> Found {
        match found {
            Found::NotFound { decoy: None } => Found::NotFound { decoy: self.example.clone() },
            Found::NotFound { decoy } => Found::NotFound { decoy },
            Found::Account(account) => {
                self.example = Some(Arc::clone(&account.password_hash));
                Found::Account(account)
            }
        }
    }
}
