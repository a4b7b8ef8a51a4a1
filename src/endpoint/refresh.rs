//! The refresh token grant (RFC 6749 §6): what was granted once is granted again, if all of it still holds. Each use of a
//! token gives the next of its family, so that a stolen one shows (RFC 9700 §4.14.2).

use std::sync::Arc;

use super::{
    About, Caller, Effect, Endpoint, Find, Parameter, Parameters, Pending, Refusal, Step,
    issue::{self, Signed},
    revocation, scope,
};
use crate::{
    registry::{
        auth_source::Directory,
        client::{Client, Grant, RefreshTokens},
        user::{Found, Status, User},
    },
    state::{Claimed, TokenId, Use},
    time::Moment,
    token::{ComingBack, Granted, refresh::RefreshToken},
};

/// A refresh whose user is being looked for again.
#[derive(Debug)]
pub struct Renewing {
    client: Arc<Client>,
    token: RefreshToken,
    scopes: Vec<String>,
}

/// A refresh whose tokens are signed, if its refresh token may be used.
#[derive(Debug)]
pub struct Claiming {
    signed: Signed,
    token: RefreshToken,
}

/// The same, with a refresh token that stays what it is.
#[derive(Debug)]
pub struct LookingUp {
    signed: Signed,
    token: RefreshToken,
}

/// A refresh that is refused, and whose family ends with it.
#[derive(Debug)]
pub struct Ending(Refusal);

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
    let renewing = Renewing { client: Arc::clone(client), token, scopes };
    match &auth_source.directory {
        Directory::Users(users) => {
            let user = users.by_id(&renewing.token.user_id).cloned();
            renewing.renew(endpoint, user, about, moment)
        }
        Directory::Lookup(_) | Directory::Snapshot(_) => {
            let identifier = renewing.token.identifier.clone();
            let find = Find { auth_source: Arc::clone(&auth_source), identifier, traceparent: caller.traceparent };
            Ok(Step::Ask(Effect::Find(find, Pending::new(about, renewing))))
        }
        Directory::Verify(_) => Err(Refusal::InvalidRefreshToken),
    }
}

impl Renewing {
    /// Goes on with whom the directory found.
    pub(super) fn found(
        self,
        found: Found,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        let user = match found {
            Found::Account(account) => Some(account.user),
            Found::Nobody { .. } => None,
        };
        self.renew(endpoint, user, about, moment)
    }

    /// Issues new tokens if it is the same user still, active, and with the same password. Otherwise the family ends.
    fn renew(
        self,
        endpoint: &Endpoint,
        user: Option<Arc<User>>,
        about: About,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        let Self { client, token, scopes } = self;
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
pub fn claim(endpoint: &Endpoint, about: About, client: &Client, signed: Signed, token: RefreshToken) -> Step {
    let claim = endpoint.claim_of(&token);
    Step::Ask(match client.refresh_tokens {
        RefreshTokens::Rotated => Effect::Claim(claim, Pending::new(about, Claiming { signed, token })),
        RefreshTokens::Kept => Effect::Look(Use::Refresh(claim), Pending::new(about, LookingUp { signed, token })),
    })
}

fn end(endpoint: &Endpoint, about: About, token: &RefreshToken, refusal: Refusal) -> Step {
    let ending = revocation::end_of_family(endpoint, token);
    Step::Ask(Effect::Remember(ending, Pending::new(about, Ending(refusal))))
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

impl Ending {
    /// What is told once the family has ended.
    pub(super) fn refusal(self) -> Refusal {
        self.0
    }
}
