//! The password grant (RFC 6749 §4.3): find the user, check one hash, and only then say anything of the user.

use std::sync::Arc;

use super::{
    attempt::{Attempt, Guess, Target, Turn},
    issue,
    oauth_error::OAuthError,
    parameter::Parameter,
    request::Parameters,
    request_context::RequestContext,
    scope,
    settings::Endpoint,
    step::{Confirm, Effect, Find, Pending, Step},
    waiting::{AfterAttempt, AfterFind, Caller, Concluding, Confirming, Finding, Login, Throttling, Verifying},
};
use crate::{
    crypto::password::PasswordCheck,
    registry::{
        auth_source::Directory,
        client::{Client, Grant},
        user::{Found, Status, User},
    },
    secret::Secret,
    state::{FamilyId, TokenId},
    time::{Moment, UnixTime},
    token::{GrantedRequest, RefreshTokenPolicy, refresh::RefreshToken},
};

/// Reads the login and asks whether it may be tried.
pub(super) fn begin(client: &Arc<Client>, mut parameters: Parameters, caller: Caller) -> Result<Step, OAuthError> {
    let auth_source_id = parameters.require(Parameter::AuthSourceId)?;
    let username = parameters.require(Parameter::Username)?;
    let password = parameters.require_secret(Parameter::Password)?;
    let scopes = scope::requested(&mut parameters, &client.scopes)?;
    let auth_source = Arc::clone(client.auth_source(&auth_source_id).ok_or(OAuthError::AuthSourceNotAssociated)?);
    let identifier = auth_source.identifiers.accept(&username).ok_or(OAuthError::UnsupportedIdentifier)?;

    let (client_id, source) = (client.id.clone(), Arc::clone(&auth_source));
    let target = Target::Password { client_id, auth_source: source, identifier: identifier.clone() };
    let guess = Guess { origin: caller.origin, target };
    let attempt = Attempt { turn: Turn::Begins, guess: guess.clone() };
    let traceparent = caller.traceparent;
    let about = RequestContext::by(client, Grant::Password).with_user(&auth_source, &identifier);
    let login = Login { client: Arc::clone(client), auth_source, identifier, scopes, guess, traceparent };
    Ok(Step::Ask(Effect::Attempt(
        attempt,
        Pending::new(about, AfterAttempt::Throttling(Throttling { login, password })),
    )))
}

impl Throttling {
    /// Goes on to find the user, wherever the directory is.
    pub(super) fn allowed(self, about: RequestContext) -> Step {
        let Self { login, password } = self;
        let auth_source = Arc::clone(&login.auth_source);
        let find = || login.find();
        match &auth_source.directory {
            Directory::Users(users) => {
                let found = users.find(&login.identifier, auth_source.choice(&login.identifier));
                login.check(found, password, about)
            }
            Directory::Lookup(_) | Directory::Snapshot(_) => {
                Step::Ask(Effect::Find(find(), Pending::new(about, AfterFind::Finding(Finding { login, password }))))
            }
            Directory::Verify(_) => {
                let confirm = Confirm { find: find(), password };
                Step::Ask(Effect::Confirm(confirm, Pending::new(about, Confirming(login))))
            }
        }
    }
}

impl Login {
    fn find(&self) -> Find {
        Find {
            auth_source: Arc::clone(&self.auth_source),
            identifier: self.identifier.clone(),
            traceparent: self.traceparent.clone(),
        }
    }

    /// Goes on to the one password check that every login costs, found or not.
    fn check(self, found: Found, password: Secret, about: RequestContext) -> Step {
        let hash = self.auth_source.hash_to_check(&found, &self.identifier);
        let user = match found {
            Found::Account(account) => Some(account.user),
            Found::NotFound { .. } => None,
        };
        let check = PasswordCheck::new(hash, password);
        Step::Ask(Effect::Verify(check, Pending::new(about, Verifying { login: self, user })))
    }

    /// Goes on with the result of the check, which counts before it is told.
    fn conclude(self, user: Option<Arc<User>>, about: RequestContext) -> Step {
        let turn = if user.is_some() { Turn::Succeeded } else { Turn::Failed };
        let attempt = Attempt { turn, guess: self.guess.clone() };
        Step::Ask(Effect::Attempt(
            attempt,
            Pending::new(about, AfterAttempt::Concluding(Concluding { login: self, user })),
        ))
    }
}

impl Finding {
    /// Goes on with whom the directory found.
    pub(super) fn found(self, found: Found, about: RequestContext) -> Step {
        self.login.check(found, self.password, about)
    }
}

impl Verifying {
    /// Goes on with the result of the check. What matches a decoy is no user.
    pub(super) fn verified(self, matches: bool, about: RequestContext) -> Step {
        self.login.conclude(self.user.filter(|_| matches), about)
    }
}

impl Confirming {
    /// Goes on with what the directory said.
    pub(super) fn confirmed(self, user: Option<Arc<User>>, about: RequestContext) -> Step {
        self.0.conclude(user, about)
    }
}

impl Concluding {
    /// Tells the result. Status is told only to one who knew the password.
    pub(super) fn counted(
        self,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let user = self.user.ok_or(OAuthError::WrongCredentials)?;
        if user.status != Status::Active {
            return Err(OAuthError::AccountNotActive);
        }
        let (now, id) = (moment.now, TokenId::fresh(moment.entropy));
        let coming_back = self.login.coming_back(endpoint, &user, id.family(), now);
        let Login { client, scopes, .. } = self.login;
        let granted = GrantedRequest { client, user, scopes, coming_back };
        issue::begin(endpoint, about, granted, id, now)
    }
}

impl Login {
    /// What the caller can come back with: nothing where its client may not, and nothing where the directory can't be
    /// asked for a user without a password.
    fn coming_back(&self, endpoint: &Endpoint, user: &User, family: FamilyId, now: UnixTime) -> RefreshTokenPolicy {
        let may_come_back = self.client.grants.contains(&Grant::RefreshToken);
        let can_be_found = !matches!(self.auth_source.directory, Directory::Verify(_));
        if !(may_come_back && can_be_found) {
            return RefreshTokenPolicy::Never;
        }
        RefreshTokenPolicy::First(RefreshToken {
            client_id: self.client.id.clone(),
            auth_source_id: self.auth_source.id.clone(),
            user_id: user.id.clone(),
            identifier: self.identifier.clone(),
            scopes: self.scopes.clone(),
            family,
            generation: 0,
            logged_in_at: now,
            issued_at: now,
            expires_at: now.after(endpoint.terms.lifetimes.refresh_token),
        })
    }
}
