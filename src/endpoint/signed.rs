//! The answer with tokens that are signed.

use super::{
    event::{Event, Outcome},
    oauth_error::{OAuthError, UNAVAILABLE},
    reply,
    request_context::RequestContext,
    settings::Endpoint,
    step::Step,
    waiting::{IdToken, Signed},
};
use crate::{
    time::{Moment, UnixTime},
    token::refresh::RefreshToken,
};

impl Signed {
    /// Answers, with this refresh token.
    pub(super) fn with(
        self,
        token: &RefreshToken,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let now = moment.now;
        let sealed = token.seal(&endpoint.sealer, &endpoint.terms.issuer, moment).ok_or(UNAVAILABLE)?;
        self.answer(Some(sealed), about, now)
    }

    pub(super) fn answer(
        self,
        refresh_token: Option<String>,
        about: RequestContext,
        now: UnixTime,
    ) -> Result<Step, OAuthError> {
        let tokens = reply::Tokens {
            access_token: &self.access_token.jwt,
            refresh_token,
            scope: self.scope,
            id_token: self.id_token.as_ref().map(|IdToken(jwt)| jwt.as_str()),
            token_type: "Bearer",
            expires_in: self.access_token.expires_at.seconds_since(now),
        };
        let response = reply::tokens(&tokens).ok_or(UNAVAILABLE)?;
        Ok(Step::Reply(response, Event { about, outcome: Outcome::Issued }))
    }
}
