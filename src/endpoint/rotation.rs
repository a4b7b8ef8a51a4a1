//! The use of a refresh token, once all is signed (RFC 9700 §4.14.2): each gives the next of its family.

use super::{
    about::About,
    refusal::Refusal,
    settings::Endpoint,
    step::{Effect, Pending, Step},
    waiting::{AfterLook, Claiming, LookingUp, Signed},
};
use crate::{
    registry::client::{Client, RefreshTokens},
    state::{Claimed, Use},
    time::Moment,
    token::refresh::RefreshToken,
};

/// Claims the token. A client whose tokens are not rotated only needs to know that the family has not ended.
pub fn claim(endpoint: &Endpoint, about: About, client: &Client, signed: Signed, token: RefreshToken) -> Step {
    let claim = endpoint.claim_of(&token);
    Step::Ask(match client.refresh_tokens {
        RefreshTokens::Rotated => Effect::Claim(claim, Pending::new(about, Claiming { signed, token })),
        RefreshTokens::Kept => {
            Effect::Look(Use::Refresh(claim), Pending::new(about, AfterLook::Refreshing(LookingUp { signed, token })))
        }
    })
}

impl Claiming {
    /// Answers with a refresh token of the generation that the claim has come to.
    pub(super) fn claimed(
        self,
        claimed: Claimed,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        let Claimed::Next { generation, since } = claimed else { return Err(Refusal::InvalidRefreshToken) };
        self.signed.with(&RefreshToken { generation, issued_at: since, ..self.token }, about, endpoint, moment)
    }

    /// Answers although it can't be asked whether the token may be used.
    pub(super) fn allowed(self, about: About, endpoint: &Endpoint, moment: Moment) -> Result<Step, Refusal> {
        let generation = self.token.generation.saturating_add(1);
        self.claimed(Claimed::Next { generation, since: moment.now }, about, endpoint, moment)
    }
}

impl LookingUp {
    /// Answers with a refresh token that is not rotated.
    pub(super) fn looked(
        self,
        is_good: bool,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        if !is_good {
            return Err(Refusal::InvalidRefreshToken);
        }
        self.signed.with(&RefreshToken { issued_at: moment.now, ..self.token }, about, endpoint, moment)
    }
}
