//! The refresh token grant (RFC 6749 §6): what was granted once is granted again, if all of it still holds. Each use of a
//! token gives the next of its family, so that a stolen one shows (RFC 9700 §4.14.2).

use std::sync::Arc;

use super::{
    About, Caller, Endpoint, Find, Parameter, Parameters, Pending, Question, Refusal, Step,
    issue::{self, Signed},
    revocation, scope,
};
use crate::{
    registry::{
        auth_source::Directory,
        client::{Client, Grant, RefreshTokens},
        user::{Found, Status, User},
    },
    state::{Claimed, StateQuestion, TokenId, Use},
    time::Moment,
    token::{ComingBack, Granted, refresh::RefreshToken},
};

/// A refresh whose user is being looked for again.
#[derive(Debug)]
pub struct Renewing {
    about: About,
    client: Arc<Client>,
    token: RefreshToken,
    scopes: Vec<String>,
}

/// A refresh whose tokens are signed, if its refresh token may be used.
#[derive(Debug)]
pub struct Claiming {
    signed: Signed,
    token: RefreshToken,
    rotation: RefreshTokens,
}

/// A refresh that is refused, and whose family ends with it.
#[derive(Debug)]
pub struct Ending {
    about: About,
    refusal: Refusal,
}

/// Opens the token, and looks the user up again in the directory of the login, if the client may still serve it.
pub fn begin(
    endpoint: &Endpoint,
    client: &Arc<Client>,
    mut parameters: Parameters,
    caller: Caller,
    moment: Moment,
) -> Result<Step, Refusal> {
    let sealed = parameters.require_secret(Parameter::RefreshToken)?;
    let token = endpoint.open_refresh_token(client, &sealed, moment.now).ok_or(Refusal::InvalidRefreshToken)?;
    let still_allowed = token.scopes.iter().filter(|scope| client.scopes.contains(scope)).cloned().collect::<Vec<_>>();
    let scopes = scope::narrowed_from(&mut parameters, &still_allowed)?;
    let auth_source = Arc::clone(client.auth_source(&token.auth_source_id).ok_or(Refusal::InvalidRefreshToken)?);
    let about = About::by(client, Grant::RefreshToken).with_user(&auth_source, &token.identifier);
    let renewing = Renewing { about, client: Arc::clone(client), token, scopes };
    match &auth_source.directory {
        Directory::Users(users) => {
            let user = users.by_id(&renewing.token.user_id).cloned();
            renewing.renew(endpoint, user, moment)
        }
        Directory::Lookup(_) | Directory::Snapshot(_) => {
            let identifier = renewing.token.identifier.clone();
            let find = Find { auth_source: Arc::clone(&auth_source), identifier, traceparent: caller.traceparent };
            Ok(Step::Ask(Question::Find(find), Pending::Renewing(renewing)))
        }
        Directory::Verify(_) => Err(Refusal::InvalidRefreshToken),
    }
}

impl Renewing {
    pub(super) fn about(&self) -> About {
        self.about.clone()
    }

    /// Goes on with whom the directory found.
    pub(super) fn found(self, endpoint: &Endpoint, found: Found, moment: Moment) -> Result<Step, Refusal> {
        let user = match found {
            Found::Account(account) => Some(account.user),
            Found::Nobody { .. } => None,
        };
        self.renew(endpoint, user, moment)
    }

    /// Issues new tokens if it is the same user still, active, and with the same password. Otherwise the family ends.
    fn renew(self, endpoint: &Endpoint, user: Option<Arc<User>>, moment: Moment) -> Result<Step, Refusal> {
        let Self { about, client, token, scopes } = self;
        match user.filter(|user| user.id == token.user_id && !token.is_older_than_password_of(user)) {
            Some(user) if user.status == Status::Active => {
                let id = TokenId::in_family(moment.entropy, token.family);
                let granted = Granted { client, user, scopes, coming_back: ComingBack::Again(token) };
                issue::begin(endpoint, about, granted, id, moment.now)
            }
            Some(_) => Ok(end(endpoint, about, &token, Refusal::AbnormalStatus)),
            None => Ok(end(endpoint, about, &token, Refusal::InvalidRefreshToken)),
        }
    }
}

/// Claims the token. A client whose tokens are not rotated only needs to know that the family has not ended.
pub fn claim(endpoint: &Endpoint, client: &Client, signed: Signed, token: RefreshToken) -> Step {
    let claim = endpoint.claim_of(&token);
    let question = match client.refresh_tokens {
        RefreshTokens::Rotated => StateQuestion::Claim(claim),
        RefreshTokens::Kept => StateQuestion::Look(Use::Refresh(claim)),
    };
    Step::Ask(Question::State(question), Pending::Claiming(Claiming { signed, token, rotation: client.refresh_tokens }))
}

fn end(endpoint: &Endpoint, about: About, token: &RefreshToken, refusal: Refusal) -> Step {
    let question = revocation::end_of_family(endpoint, token);
    Step::Ask(Question::State(question), Pending::Ending(Ending { about, refusal }))
}

impl Claiming {
    pub(super) fn about(&self) -> About {
        self.signed.about()
    }

    /// Answers with a refresh token of the generation that the claim has come to.
    pub(super) fn claimed(self, endpoint: &Endpoint, claimed: Claimed, moment: Moment) -> Result<Step, Refusal> {
        let Claimed::Next { generation, since } = claimed else { return Err(Refusal::InvalidRefreshToken) };
        self.signed.with(&RefreshToken { generation, issued_at: since, ..self.token }, endpoint, moment)
    }

    /// Answers with a refresh token that is not rotated.
    pub(super) fn looked(self, endpoint: &Endpoint, is_good: bool, moment: Moment) -> Result<Step, Refusal> {
        if !is_good {
            return Err(Refusal::InvalidRefreshToken);
        }
        self.signed.with(&RefreshToken { issued_at: moment.now, ..self.token }, endpoint, moment)
    }

    /// Answers although it can't be asked whether the token may be used.
    pub(super) fn allowed(self, endpoint: &Endpoint, moment: Moment) -> Result<Step, Refusal> {
        let is_rotated = self.rotation == RefreshTokens::Rotated;
        let generation = self.token.generation.saturating_add(u32::from(is_rotated));
        self.claimed(endpoint, Claimed::Next { generation, since: moment.now }, moment)
    }
}

impl Ending {
    pub(super) fn about(&self) -> About {
        self.about.clone()
    }

    /// What is told once the family has ended.
    pub(super) fn refusal(self) -> Refusal {
        self.refusal
    }
}
