//! `lookup`: one call per login, the answer of which is mapped to a user.

use super::{CallLimits, Callout, CalloutAnswer, Fault};
use crate::registry::{identifier::Identifier, user::Found};

/// A service that is asked for one user at a time.
#[derive(Debug)]
pub struct Lookup {
    /// How much a call may cost.
    pub limits: CallLimits,
}

impl Lookup {
    /// What to send to find a user.
    pub fn callout(&self, _auth_source_id: &str, _identifier: &Identifier) -> Callout {
        Callout {
            cluster: String::new(),
            method: String::new(),
            authority: String::new(),
            path: String::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// What the answer says.
    pub fn read(&self, answer: &CalloutAnswer) -> Result<Found, Fault> {
        Err(Fault::Status(answer.status))
    }
}
