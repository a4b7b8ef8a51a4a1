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
    /// The public keys, or the methods that a path knows, were told.
    Told,
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
            Self::Refused(refusal) => refusal.terms().1,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::Issued(_) => write!(f, "issued grant={}", self.outcome.name())?,
            Outcome::Told => f.write_str("told")?,
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
