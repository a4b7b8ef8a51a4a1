//! The use of a refresh token, once all is signed (RFC 9700 §4.14.2): each gives the next of its family.

use super::{
    oauth_error::OAuthError,
    reply,
    request_context::RequestContext,
    settings::Endpoint,
    step::{Effect, Pending, Step},
    waiting::{AfterCheckActive, LookingUp, Signed, UsingRefreshToken},
};
use crate::{
    registry::client::{Client, RefreshTokens},
    state::{OriginMark, RefreshTokenUse, TokenInUse, UseResult},
    time::Moment,
    token::refresh::RefreshToken,
};

/// Claims the token, from where it was sent. A client whose tokens are not rotated only needs to know that the family has
/// not ended.
pub(super) fn claim(
    endpoint: &Endpoint,
    about: RequestContext,
    client: &Client,
    signed: Signed,
    token: RefreshToken,
    from: Option<OriginMark>,
) -> Step {
    let claim = RefreshTokenUse { from, ..endpoint.claim_of(&token) };
    Step::Ask(match client.refresh_tokens {
        RefreshTokens::Rotated => {
            Effect::RefreshTokenUse(claim, Pending::new(about, UsingRefreshToken { signed, token }))
        }
        RefreshTokens::Kept => Effect::CheckActive(
            TokenInUse::Refresh(claim),
            Pending::new(about, AfterCheckActive::Refreshing(LookingUp { signed, token })),
        ),
    })
}

impl UsingRefreshToken {
    /// Answers with a refresh token of the generation that the claim has come to.
    pub(super) fn claimed(
        self,
        claimed: UseResult,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let (UseResult::Next { is_shared, .. } | UseResult::Ended { is_shared }) = claimed;
        let about = RequestContext { is_shared, ..about };
        match claimed {
            UseResult::Next { generation, since, .. } => {
                self.signed.with(&RefreshToken { generation, issued_at: since, ..self.token }, about, endpoint, moment)
            }
            UseResult::Ended { .. } => Ok(reply::refused(OAuthError::InvalidRefreshToken, about)),
        }
    }

    /// Answers although it can't be asked whether the token may be used.
    pub(super) fn allowed(
        self,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let generation = self.token.generation.saturating_add(1);
        self.claimed(UseResult::Next { generation, since: moment.now, is_shared: false }, about, endpoint, moment)
    }
}

impl LookingUp {
    /// Answers with a refresh token that is not rotated.
    pub(super) fn looked(
        self,
        is_good: bool,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        if !is_good {
            return Err(OAuthError::InvalidRefreshToken);
        }
        self.signed.with(&RefreshToken { issued_at: moment.now, ..self.token }, about, endpoint, moment)
    }
}
