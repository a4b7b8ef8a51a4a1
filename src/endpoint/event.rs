//! What happened, for logs and metrics, as data: what it has no field for can't leak.

use std::{borrow::Cow, fmt};

use super::{oauth_error::OAuthError, request_context::RequestContext};

/// One finished exchange.
#[derive(Debug)]
pub struct Event {
    /// What it was about.
    pub(crate) about: RequestContext,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Tokens were issued.
    Issued,
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
    Refused(OAuthError),
}

impl Outcome {
    /// A short name: the `error` of a refusal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Told => "told",
            Self::Revoked => "revoked",
            Self::NothingToRevoke => "nothing_to_revoke",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::UserInfo => "claims_told",
            Self::Refused(refusal) => refusal.response().error,
        }
    }

    fn reason(self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.response().reason),
            Self::Issued
            | Self::Told
            | Self::Revoked
            | Self::NothingToRevoke
            | Self::Active
            | Self::Inactive
            | Self::UserInfo => None,
        }
    }
}

impl Event {
    /// Whether something was decided, and not only told that everyone may know.
    pub(crate) fn is_decision(&self) -> bool {
        self.outcome != Outcome::Told
    }

    /// All there is to say, by name; what is not known is not there.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let RequestContext { topic, client, subject, past, is_shared } = &self.about;
        let fields = [
            ("request", Some(topic.name().into())),
            ("outcome", Some(self.outcome.name().into())),
            ("reason", self.outcome.reason().map(Cow::from)),
            ("client", client.as_ref().map(|client| client.id.as_str().into())),
            ("auth_source", subject.as_ref().map(|subject| subject.auth_source.id.as_str().into())),
            ("past", past.map(|limit| limit.name().into())),
            ("grace", is_shared.then_some("from_elsewhere".into())),
            ("user", subject.as_ref().map(|subject| subject.user.to_string().into())),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

/// One line: `name="value"`, with quotes and line breaks in a value escaped.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.fields().map(|(name, value)| format!("{name}={value:?}")).collect();
        f.write_str(&fields.join(" "))
    }
}
