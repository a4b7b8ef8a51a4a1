//! Exchanges that wait: one kind for each place where a flow has a question.

use super::{
    about::About,
    authentication::{Authenticating, Rejecting},
    introspection::Introspecting,
    issue::{SigningAccess, SigningId},
    password::{Concluding, Confirming, Finding, Throttling, Verifying},
    refresh::{Claiming, Ending, Renewing},
    revocation::Revoking,
    userinfo::Informing,
};

/// An exchange that waits for an answer.
#[derive(Debug)]
pub enum Pending {
    /// A client whose secret may not be looked at yet.
    Authenticating(Authenticating),
    /// A client that sent a wrong secret, being counted.
    Rejecting(Rejecting),
    /// A login that may not be tried yet.
    Throttling(Throttling),
    /// A login whose user is being looked for.
    Finding(Finding),
    /// A login whose password is being checked, here.
    Verifying(Verifying),
    /// A login whose password is being checked by the directory.
    Confirming(Confirming),
    /// A refresh whose user is being looked for again.
    Renewing(Renewing),
    /// A refresh whose token is being claimed.
    Claiming(Claiming),
    /// A refresh that is refused once its family has ended.
    Ending(Ending),
    /// A login whose password was checked, being counted.
    Concluding(Concluding),
    /// A token that ends.
    Revoking(Revoking),
    /// A token that a client asks about.
    Introspecting(Introspecting),
    /// A token with which a user's claims are asked for.
    Informing(Informing),
    /// Tokens being made: the access token's signature is next.
    SigningAccess(SigningAccess),
    /// Tokens being made: the ID token's signature is next.
    SigningId(SigningId),
}

impl Pending {
    /// What is known of the exchange.
    pub fn about(&self) -> About {
        match self {
            Self::Authenticating(request) => request.about(),
            Self::Rejecting(client) => client.about(),
            Self::Throttling(login) => login.about(),
            Self::Finding(login) => login.about(),
            Self::Verifying(login) => login.about(),
            Self::Confirming(login) => login.about(),
            Self::Renewing(renewing) => renewing.about(),
            Self::Claiming(claiming) => claiming.about(),
            Self::Ending(ending) => ending.about(),
            Self::Concluding(login) => login.about(),
            Self::Revoking(revoking) => revoking.about(),
            Self::Introspecting(introspecting) => introspecting.about(),
            Self::Informing(informing) => informing.about(),
            Self::SigningAccess(issue) => issue.about(),
            Self::SigningId(issue) => issue.about(),
        }
    }
}
