//! `verify`: the directory checks the password itself.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Upstream,
    mapping::{Record, UserMapping},
    template::Values,
};
use crate::{
    outbound::{CallLimits, Callout, CalloutAnswer, Fault},
    registry::{identifier::Identifier, user::User},
    secret::Secret,
    text::basic,
};

/// A service that checks passwords.
#[derive(Debug)]
pub struct Verify {
    /// Where it is, and what it is sent.
    pub(crate) upstream: Upstream,
    /// How much a call may cost.
    pub(crate) limits: CallLimits,
    /// How identifier and password are sent.
    pub(crate) credentials: CredentialsForm,
    /// The statuses that mean that the password is wrong, or the user unknown.
    pub(crate) refused: Vec<u16>,
    /// What of the answer says who the user is.
    pub(crate) source: AnswerPart,
    /// Where in it the user is described.
    pub(crate) mapping: UserMapping,
}

/// How identifier and password are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum CredentialsForm {
    /// By GET, as HTTP Basic (RFC 7617).
    #[default]
    Basic,
    /// By POST, in a JSON body.
    Json,
}

/// What of an answer is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum AnswerPart {
    /// Its status alone.
    #[serde(skip)]
    Nothing,
    /// Its body, which is JSON.
    #[default]
    Body,
    /// Its headers.
    Headers,
}

impl Verify {
    /// What to send to have a password checked. None where it can't be right, because it can't even be sent, or is none:
    /// directories exist that take a login without a password for an anonymous one (RFC 4513 §5.1.2), and say yes.
    pub fn callout(
        &self,
        auth_source_id: &str,
        identifier: &Identifier,
        password: &Secret,
        traceparent: Option<&str>,
    ) -> Option<Callout> {
        if password.expose().is_empty() {
            return None;
        }
        let values = Values { auth_source_id, identifier: Some(identifier), password: Some(password) };
        let mut callout = self.upstream.callout(&values, traceparent)?;
        if self.credentials == CredentialsForm::Basic {
            let credentials = basic::credentials(identifier.value.as_bytes(), password)?;
            callout.headers.push(("authorization".to_owned(), credentials));
        }
        Some(callout)
    }

    /// What the answer says: the user, or None for a wrong password or an unknown user.
    ///
    /// # Errors
    /// The answer says neither.
    pub fn read(&self, answer: &CalloutAnswer, identifier: &Identifier) -> Result<Option<Arc<User>>, Fault> {
        if self.refused.contains(&answer.status) {
            return Ok(None);
        }
        answer.success()?;
        let user = match self.source {
            AnswerPart::Nothing => self.mapping.user(Record::Json("", &Value::Null), &identifier.value),
            AnswerPart::Body => self.mapping.user(Record::Json("", &answer.json()?), &identifier.value),
            AnswerPart::Headers => self.mapping.user(Record::Headers(&answer.headers), &identifier.value),
        };
        user.map(|user| Some(Arc::new(user)))
    }
}
