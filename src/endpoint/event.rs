//! What happened, for logs and metrics, as data: what it has no field for can't leak.

use std::{fmt, sync::Arc};

use super::refusal::Refusal;
use crate::registry::client::{Client, Grant};

/// One finished exchange.
#[derive(Debug)]
pub struct Event {
    /// How it ended.
    pub outcome: Outcome,
    /// Who asked, once that is known to be true.
    pub client: Option<Arc<Client>>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Tokens were issued.
    Issued(Grant),
    /// The public keys, what this server can do, or the methods that a path knows, were told.
    Told,
    /// A token has ended because its client said so.
    Revoked,
    /// What a client wanted to end was no token, or had ended before.
    NothingToRevoke,
    /// A token was found to be good.
    Active,
    /// What a client asked about is no good token.
    Inactive,
    /// A user's claims were told.
    UserInfo,
    /// The request was refused.
    Refused(Refusal),
}

impl Outcome {
    /// A short name: the `error` of a refusal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Issued(Grant::Password) => "password",
            Self::Issued(Grant::RefreshToken) => "refresh_token",
            Self::Issued(Grant::ClientCredentials) => "client_credentials",
            Self::Told => "told",
            Self::Revoked => "revoked",
            Self::NothingToRevoke => "nothing_to_revoke",
            Self::Active => "introspected_active",
            Self::Inactive => "introspected_inactive",
            Self::UserInfo => "userinfo",
            Self::Refused(refusal) => refusal.terms().1,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::Issued(_) => write!(f, "issued grant={}", self.outcome.name())?,
            Outcome::Told
            | Outcome::Revoked
            | Outcome::NothingToRevoke
            | Outcome::Active
            | Outcome::Inactive
            | Outcome::UserInfo => f.write_str(self.outcome.name())?,
            Outcome::Refused(refusal) => {
                let (status, error, description) = refusal.terms();
                write!(f, "refused status={status} error={error} description={description:?}")?;
            }
        }
        match &self.client {
            Some(client) => write!(f, " client={:?}", client.id),
            None => Ok(()),
        }
    }
}
