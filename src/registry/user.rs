//! Users, and a table of them that finds one by identifier or id.

use std::{fmt, sync::Arc};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{cost_classes::CostClasses, identifier::Identifier, index::Index};
use crate::{crypto::password::PasswordHash, time::UnixTime};

/// One user of an auth source.
pub struct User {
    /// The stable id: `sub` in tokens.
    pub id: String,
    /// Whether the user may log in.
    pub status: Status,
    /// When the password was changed last, where that is known: what was granted before ends with it.
    pub(crate) password_changed_at: Option<UnixTime>,
    /// Claims that are copied into the user's tokens.
    pub claims: Map<String, Value>,
}

/// What the ids of clients begin with where they stand for a user's: no user's id does.
const CLIENT: &str = "client:";

impl User {
    /// A client that acts for itself (RFC 6749 §4.4), which has no claims of its own.
    pub(crate) fn of_client(client_id: &str) -> Self {
        let id = format!("{CLIENT}{client_id}");
        Self { id, status: Status::Active, password_changed_at: None, claims: Map::new() }
    }

    /// Whether an id could be taken for that of a client that acts for itself.
    pub fn is_clients_id(id: &str) -> bool {
        id.starts_with(CLIENT)
    }
}

/// Whether a user may log in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The user may log in.
    #[default]
    Active,
    /// Locked by too many failures or by an administrator.
    Locked,
    /// Suspended for a while.
    Frozen,
    /// Switched off.
    Disabled,
}

impl fmt::Debug for User {
    /// Shows nothing personal: neither hash nor claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A user with what the password is checked against.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who it is.
    pub user: Arc<User>,
    /// The stored hash.
    pub(crate) password_hash: Arc<PasswordHash>,
}

/// What looking for a user came to.
#[derive(Clone, Debug)]
pub enum Found {
    /// There is one.
    Account(Account),
    /// There is none.
    NotFound {
        /// A hash that costs what users' hashes cost there, where one is known.
        decoy: Option<Arc<PasswordHash>>,
    },
}

/// Users, found by identifier or id.
#[derive(Debug, Default)]
pub struct UserTable {
    accounts: Vec<Account>,
    by_id: Index<String>,
    by_identifier: Index<Identifier>,
    costs: CostClasses,
}

/// What two users can't share.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Duplicate {
    /// The user's id.
    Id,
    /// An identifier, by its place in the list given.
    Identifier(usize),
}

impl UserTable {
    /// Adds a user. One whose id or identifier is taken is not added, and all duplicates are told.
    pub(crate) fn insert(&mut self, account: Account, identifiers: Vec<Identifier>) -> Result<(), Vec<Duplicate>> {
        let duplicates = self.duplicates(&account.user, &identifiers);
        if !duplicates.is_empty() {
            return Err(duplicates);
        }
        let index = self.accounts.len();
        self.by_id.insert(account.user.id.clone(), index);
        for identifier in identifiers {
            self.by_identifier.insert(identifier, index);
        }
        self.costs.add(&account.password_hash);
        self.accounts.push(account);
        Ok(())
    }

    fn duplicates(&self, user: &User, identifiers: &[Identifier]) -> Vec<Duplicate> {
        let id = self.by_id.contains(&user.id).then_some(Duplicate::Id);
        let taken = |(at, identifier)| self.by_identifier.contains(identifier).then_some(Duplicate::Identifier(at));
        id.into_iter().chain(identifiers.iter().enumerate().filter_map(taken)).collect()
    }

    /// The names of all claims that users have, each as often as there are users who have it.
    pub(crate) fn claim_names(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().flat_map(|account| account.user.claims.keys().map(String::as_str))
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// The user whom `identifier` names. Where there is none, `choice` picks whose hash is the example.
    pub fn find(&self, identifier: &Identifier, choice: u64) -> Found {
        match self.by_identifier.get(identifier).and_then(|index| self.accounts.get(index)) {
            Some(account) => Found::Account(account.clone()),
            None => Found::NotFound { decoy: self.costs.choose(choice) },
        }
    }

    /// The user with this id.
    pub fn by_id(&self, id: &str) -> Option<&Account> {
        self.accounts.get(self.by_id.get(id)?)
    }

    /// Drops some of what is here, for dropping all at once takes long. True once nothing is left; nobody is to be
    /// looked for meanwhile.
    pub fn dismantle(&mut self) -> bool {
        const SOME: usize = 32;
        let rest = self.accounts.len().saturating_sub(SOME);
        self.accounts.truncate(rest);
        rest == 0 && self.by_id.dismantle() && self.by_identifier.dismantle()
    }
}
