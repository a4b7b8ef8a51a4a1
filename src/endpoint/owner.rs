//! Whether the client and the user of a token may have it still: of whom is locked, gone or has a new password, and of a client
//! that is no more, no token is good, whatever it says.

use std::sync::Arc;

use super::{
    settings::Endpoint,
    step::{Find, FindFor},
};
use crate::{
    crypto::password::PasswordHash,
    registry::{
        auth_source::{AuthSource, Directory},
        client::{Client, Grant},
        identifier::Identifier,
        user::{Account, Found, User},
    },
    state::TokenId,
    time::{Entropy, UnixTime},
    token::{
        presented::AccessToken,
        refresh::{RefreshToken, short_mark},
        user_reference::UserReference,
    },
};

/// What the configuration says of a token's owner.
pub(super) enum Owner {
    /// The token is theirs still, or nobody can be asked.
    Good,
    /// It is not.
    Gone,
    /// A directory is to be asked.
    Unknown(Find),
}

/// Whether a directory has found a user of whom that holds.
pub(super) fn has_found(found: &Found, is_of: impl FnOnce(&Account) -> bool) -> bool {
    matches!(found, Found::Account(account) if is_of(account))
}

impl Endpoint {
    /// What an access token of a user carries so that its owner is found later: its name with a mark of the password, and where to
    /// ask. Neither where nobody can be asked, or where no key seals whom to ask for.
    pub(super) fn tie(
        &self,
        id: TokenId,
        source: &AuthSource,
        identifier: &Identifier,
        hash: Option<&PasswordHash>,
        now: UnixTime,
        entropy: Entropy,
    ) -> (TokenId, Option<String>) {
        let reference = match source.directory {
            Directory::Lookup(_) | Directory::Snapshot(_) => {
                let reference = UserReference { auth_source_id: source.id.clone(), identifier: identifier.clone() };
                reference.seal(&self.sealer, &self.terms.issuer, now, entropy)
            }
            Directory::Users(_) | Directory::Verify(_) => None,
        };
        let can_be_found = reference.is_some() || matches!(source.directory, Directory::Users(_));
        let mark = hash.filter(|_| can_be_found).map(|hash| short_mark(hash, id.family()));
        (mark.map_or(id, |mark| id.marked(mark)), reference)
    }

    /// The owner of a refresh token of this client.
    pub(super) fn owner_of_refresh_token(&self, client: &Client, token: &RefreshToken) -> Owner {
        let source = client.auth_source(&token.auth_source_id).filter(|_| client.grants.contains(&Grant::RefreshToken));
        at_source(source, &token.user_id, &token.identifier, |account| token.may_be_used_by(account))
    }

    /// The owner of an access token.
    pub(super) fn owner_of_access_token(&self, token: &AccessToken) -> Owner {
        let Some(client) = self.registry.clients.get(&token.client_id) else { return Owner::Gone };
        let may = |grant| client.grants.contains(&grant);
        if User::is_clients_id(&token.subject) {
            return if may(Grant::ClientCredentials) { Owner::Good } else { Owner::Gone };
        }
        if !(may(Grant::Password) || may(Grant::RefreshToken)) {
            return Owner::Gone;
        }
        match &token.user_reference {
            Some(sealed) => match UserReference::open(&self.sealer, &self.terms.issuer, sealed) {
                Some(UserReference { auth_source_id, identifier }) => {
                    let source = client.auth_source(&auth_source_id);
                    at_source(source, &token.subject, &identifier, |account| token.is_of(account))
                }
                None => Owner::Gone,
            },
            None => unreferred(client, token),
        }
    }
}

/// By the directory of the login. One that can't be asked has become so since.
fn at_source(
    source: Option<&Arc<AuthSource>>,
    id: &str,
    identifier: &Identifier,
    is_of: impl FnOnce(&Account) -> bool,
) -> Owner {
    let Some(source) = source else { return Owner::Gone };
    match &source.directory {
        Directory::Users(users) if users.by_id(id).is_some_and(is_of) => Owner::Good,
        Directory::Users(_) | Directory::Verify(_) => Owner::Gone,
        Directory::Lookup(_) | Directory::Snapshot(_) => {
            let (auth_source, identifier) = (Arc::clone(source), identifier.clone());
            Owner::Unknown(Find { auth_source, identifier, traceparent: None, purpose: FindFor::Status })
        }
    }
}

/// By the users in the configuration. A token whose password was never known here came from a directory that can't be asked, or
/// from an earlier version.
fn unreferred(client: &Client, token: &AccessToken) -> Owner {
    let mut directories = client.auth_sources.iter().map(|source| &source.directory);
    let is_of_users = |directory: &Directory| match directory {
        Directory::Users(users) => users.by_id(&token.subject).is_some_and(|account| token.is_of(account)),
        Directory::Lookup(_) | Directory::Snapshot(_) | Directory::Verify(_) => false,
    };
    let is_unknown = !token.id.is_marked() && !directories.clone().all(|it| matches!(it, Directory::Users(_)));
    if is_unknown || directories.any(is_of_users) { Owner::Good } else { Owner::Gone }
}
