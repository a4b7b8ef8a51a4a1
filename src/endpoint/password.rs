//! The password grant (RFC 6749 §4.3): find the user, check one hash, and only then say anything of the user.

use std::sync::Arc;

use super::{
    attempt::{GuessResult, PasswordGuess, PasswordSettlement},
    issue,
    oauth_error::OAuthError,
    parameter::Parameter,
    reply,
    request::Parameters,
    request_context::{Limited, RequestContext},
    scope,
    settings::Endpoint,
    step::{Confirm, Effect, Find, FindFor, Pending, Rank, Step, Unavailable},
    waiting::{
        AfterFind, AfterSettle, Allowed, Caller, Concluding, Confirming, Excusing, FindingUser, Login, Throttling,
        Verifying,
    },
};
use crate::{
    attempts::{Reservation, Telling},
    crypto::password::{PasswordCheck, PasswordHash},
    registry::{
        auth_source::Directory,
        client::{Client, Grant},
        user::{Account, Found, Status, User},
    },
    secret::Secret,
    state::{FamilyId, TokenId},
    time::{Moment, UnixTime},
    token::{
        GrantedRequest, RefreshTokenPolicy,
        refresh::{PasswordMark, RefreshToken},
    },
};

/// A user whose password was checked, and the hash that it was checked by, if that is known here.
type CheckedUser = (Arc<User>, Option<Arc<PasswordHash>>);

/// Reads the login and asks whether it may be tried.
pub(super) fn begin(
    endpoint: &Endpoint,
    client: &Arc<Client>,
    mut parameters: Parameters,
    caller: Caller,
    now: UnixTime,
) -> Result<Step, OAuthError> {
    let auth_source_id = parameters.require(Parameter::AuthSourceId)?;
    let username = parameters.require(Parameter::Username)?;
    let password = parameters.require_secret(Parameter::Password)?;
    let scopes = scope::requested(&mut parameters, &client.scopes)?;
    let auth_source = Arc::clone(client.auth_source(&auth_source_id).ok_or(OAuthError::AuthSourceNotAssociated)?);
    let identifier = auth_source.identifiers.accept(&username).ok_or(OAuthError::UnsupportedIdentifier)?;
    let guess = PasswordGuess {
        origin: caller.user_origin(client, &mut parameters)?,
        device: parameters.take_secret(Parameter::DeviceToken).and_then(|token| {
            let token = endpoint.open_device_token(client, &token, now)?;
            token.is_of(&auth_source, &identifier).then_some(token.family)
        }),
        client_id: client.id.clone(),
        user_id: auth_source.known_user(&identifier),
        auth_source: Arc::clone(&auth_source),
        identifier: identifier.clone(),
    };
    let about = RequestContext::by(client, Grant::Password).with_user(&auth_source, &identifier);
    let login = Login {
        client: Arc::clone(client),
        auth_source,
        identifier,
        scopes,
        guess: guess.clone(),
        traceparent: caller.traceparent,
    };
    Ok(Step::Ask(Effect::Reserve(guess, Pending::new(about, Throttling { login, password }))))
}

impl Throttling {
    /// Goes on to find the user, wherever the directory is.
    pub(super) fn allowed(self, reservation: Reservation, about: RequestContext) -> Step {
        let Self { login, password } = self;
        let auth_source = Arc::clone(&login.auth_source);
        let find = login.find();
        let allowed = Allowed { login, reservation };
        match &auth_source.directory {
            Directory::Users(users) => {
                let found = users.find(&find.identifier, auth_source.choice(&find.identifier));
                allowed.check(found, password, about)
            }
            Directory::Lookup(_) | Directory::Snapshot(_) => Step::Ask(Effect::Find(
                find,
                Pending::new(about, AfterFind::FindingUser(FindingUser { allowed, password })),
            )),
            Directory::Verify(_) => {
                Step::Ask(Effect::Confirm(Confirm { find, password }, Pending::new(about, Confirming(allowed))))
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
            purpose: FindFor::Tokens,
        }
    }
}

impl Allowed {
    /// Goes on to the one password check that every login costs, found or not.
    fn check(self, found: Found, password: Secret, about: RequestContext) -> Step {
        let hash = self.login.auth_source.hash_to_check(&found, &self.login.identifier);
        let account = match found {
            Found::Account(account) => Some(account),
            Found::NotFound { .. } => None,
        };
        let check = PasswordCheck::new(hash, password);
        let rank = if self.is_suspect() { Rank::Last } else { Rank::First };
        Step::Ask(Effect::Verify(check, rank, Pending::new(about, Verifying { allowed: self, account })))
    }

    /// Whether a stranger makes it while too many passwords are guessed through the client.
    fn is_suspect(&self) -> bool {
        self.reservation.is_crowded && !self.reservation.is_friend
    }

    /// Goes on with the result of the check, which counts before it is told. What matches a decoy is no user.
    fn conclude(self, user: Option<CheckedUser>, is_right: bool, about: RequestContext) -> Step {
        let about = if self.is_suspect() { about.past(Limited::Client) } else { about };
        let end = if user.is_some() && is_right { GuessResult::Right } else { GuessResult::Wrong };
        let user_id = user.as_ref().map(|(user, _)| user.id.clone());
        let Self { login, reservation } = self;
        let settlement = PasswordSettlement { guess: login.guess.clone(), reservation, user_id, end };
        let concluding = Box::new(Concluding { login, user: user.filter(|_| is_right) });
        Step::Ask(Effect::Settle(settlement, Pending::new(about, AfterSettle::Concluding(concluding))))
    }

    /// Takes the guess back where nothing came of it.
    fn excuse(self, unavailable: Unavailable, about: RequestContext) -> Step {
        let Self { login, reservation } = self;
        let end = GuessResult::Unknown { by_record: unavailable.by_record };
        let settlement = PasswordSettlement { guess: login.guess, reservation, user_id: None, end };
        let excusing = Excusing(unavailable.into());
        Step::Ask(Effect::Settle(settlement, Pending::new(about, AfterSettle::Excusing(excusing))))
    }
}

impl FindingUser {
    /// Goes on with whom the directory found.
    pub(super) fn found(self, found: Result<Found, Unavailable>, about: RequestContext) -> Step {
        match found {
            Ok(found) => self.allowed.check(found, self.password, about),
            Err(unavailable) => self.allowed.excuse(unavailable, about),
        }
    }
}

impl Verifying {
    /// Goes on with the result of the check.
    pub(super) fn verified(self, matches: Result<bool, Unavailable>, about: RequestContext) -> Step {
        match matches {
            Ok(matches) => {
                let user = self.account.map(|Account { user, password_hash }| (user, Some(password_hash)));
                self.allowed.conclude(user, matches, about)
            }
            Err(unavailable) => self.allowed.excuse(unavailable, about),
        }
    }
}

impl Confirming {
    /// Goes on with what the directory said.
    pub(super) fn confirmed(self, user: Result<Option<Arc<User>>, Unavailable>, about: RequestContext) -> Step {
        match user {
            Ok(user) => self.0.conclude(user.map(|user| (user, None)), true, about),
            Err(unavailable) => self.0.excuse(unavailable, about),
        }
    }
}

impl Excusing {
    /// What is told once the guess is taken back.
    pub(super) fn refusal(self) -> OAuthError {
        self.0
    }
}

impl Concluding {
    /// Tells the result. Status is told only to one who knew the password. Past the user's own limit all are told the same.
    pub(super) fn counted(
        self,
        telling: Telling,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        if let Telling::Wait(retry_after) = telling {
            return Err(OAuthError::TooManyAttempts { retry_after });
        }
        let (user, hash) = self.user.ok_or(OAuthError::WrongCredentials)?;
        if telling == Telling::Wrong {
            return Ok(reply::refused(OAuthError::WrongCredentials, about.past(Limited::User)));
        }
        if user.status != Status::Active {
            return Err(OAuthError::AccountNotActive);
        }
        let (now, (for_id, for_seal)) = (moment.now, moment.entropy.fork());
        let id = TokenId::fresh(for_id);
        let (auth_source, identifier) = (&self.login.auth_source, &self.login.identifier);
        let (marked, user_reference) = endpoint.tie(id, auth_source, identifier, hash.as_deref(), now, for_seal);
        let mark = hash.and_then(|hash| PasswordMark::of(&hash, id.family()));
        let coming_back = self.login.coming_back(endpoint, &user, mark, id.family(), now);
        let Login { client, scopes, .. } = self.login;
        let granted = GrantedRequest { client, user, user_reference, scopes, coming_back };
        issue::begin(endpoint, about, granted, marked, now)
    }
}

impl Login {
    /// What the caller can come back with: nothing where its client may not, and nothing where the directory can't be
    /// asked for a user without a password.
    fn coming_back(
        &self,
        endpoint: &Endpoint,
        user: &User,
        password: Option<PasswordMark>,
        family: FamilyId,
        now: UnixTime,
    ) -> RefreshTokenPolicy {
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
            password,
        })
    }
}
