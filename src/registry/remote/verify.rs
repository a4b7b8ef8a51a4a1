//! `verify`: the directory checks the password itself.

use std::sync::Arc;

use super::{CallLimits, Callout, CalloutAnswer, Fault};
use crate::{
    registry::{identifier::Identifier, user::User},
    secret::Secret,
};

/// A service that checks passwords.
#[derive(Debug)]
pub struct Verify {
    /// How much a call may cost.
    pub limits: CallLimits,
}

impl Verify {
    /// What to send to have a password checked.
    pub fn callout(&self, _auth_source_id: &str, _identifier: &Identifier, _password: &Secret) -> Callout {
        Callout {
            cluster: String::new(),
            method: String::new(),
            authority: String::new(),
            path: String::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// What the answer says: the user, or None for a wrong password or an unknown user.
    pub fn read(&self, answer: &CalloutAnswer, _identifier: &Identifier) -> Result<Option<Arc<User>>, Fault> {
        Err(Fault::Status(answer.status))
    }
}
