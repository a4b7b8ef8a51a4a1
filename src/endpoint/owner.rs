//! Whether the client and the user of a token may have it still: of whom is locked, gone or has a new password, and of a client
//! that is no more, no token is good, whatever it says.

use std::sync::Arc;

use super::{
    settings::Endpoint,
    step::{Find, FindFor},
};
use crate::{
    registry::{
        auth_source::{AuthSource, Directory},
        client::{Client, Grant},
        identifier::Identifier,
        user::{Account, Found, User},
    },
    token::{presented::AccessToken, refresh::RefreshToken, user_reference::UserReference},
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
    /// The owner of a refresh token of this client.
    pub(super) fn owner_of_refresh_token(&self, client: &Client, token: &RefreshToken) -> Owner {
        match client.auth_source(&token.auth_source_id).filter(|_| client.grants.contains(&Grant::RefreshToken)) {
            Some(source) => match &source.directory {
                Directory::Users(users) => {
                    in_table(users.by_id(&token.user_id), |account| token.may_be_used_by(account))
                }
                Directory::Lookup(_) | Directory::Snapshot(_) => ask(source, token.identifier.clone()),
                Directory::Verify(_) => Owner::Gone,
            },
            None => Owner::Gone,
        }
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
            Some(sealed) => UserReference::open(&self.sealer, &self.terms.issuer, sealed)
                .map_or(Owner::Gone, |reference| referred(client, token, reference)),
            None => unreferred(client, token),
        }
    }
}

/// By the directory that the token names.
fn referred(client: &Client, token: &AccessToken, reference: UserReference) -> Owner {
    let Some(source) = client.auth_source(&reference.auth_source_id) else { return Owner::Gone };
    match &source.directory {
        Directory::Users(users) => in_table(users.by_id(&token.subject), |account| token.is_of(account)),
        Directory::Lookup(_) | Directory::Snapshot(_) => ask(source, reference.identifier),
        Directory::Verify(_) => Owner::Good,
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

fn in_table(account: Option<&Account>, is_of: impl FnOnce(&Account) -> bool) -> Owner {
    if account.is_some_and(is_of) { Owner::Good } else { Owner::Gone }
}

fn ask(source: &Arc<AuthSource>, identifier: Identifier) -> Owner {
    Owner::Unknown(Find { auth_source: Arc::clone(source), identifier, traceparent: None, purpose: FindFor::Status })
}
