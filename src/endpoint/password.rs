//! The password grant (RFC 6749 §4.3): find the user, check one hash, and only then say anything of the user.

use std::sync::Arc;

use super::{Attempt, Endpoint, Guess, Parameter, Parameters, Pending, Question, Refusal, Step, Turn, issue, scope};
use crate::{
    crypto::password::{PasswordCheck, PasswordHash},
    registry::{
        auth_source::AuthSource,
        client::{Client, Grant},
        identifier::Identifier,
        user::{Status, User},
    },
    time::Moment,
    token::{Granted, refresh::RefreshToken},
};

/// A login, read and found to make sense.
#[derive(Debug)]
struct Login {
    client: Arc<Client>,
    auth_source: Arc<AuthSource>,
    scopes: Vec<String>,
    user: Option<Arc<User>>,
    guess: Guess,
}

/// A login that waits for the attempt limits to allow it.
#[derive(Debug)]
pub struct Throttling {
    login: Login,
    check: PasswordCheck,
}

/// A login whose password is being checked.
#[derive(Debug)]
pub struct Verifying(Login);

/// A login whose password was checked, and whose caller has yet to be told.
#[derive(Debug)]
pub struct Concluding {
    login: Login,
    matches: bool,
}

/// Reads the login and asks whether it may be tried.
pub fn begin(client: &Arc<Client>, mut parameters: Parameters, guess: Guess) -> Result<Step, Refusal> {
    let auth_source_id = parameters.require(Parameter::AuthSourceId)?;
    let username = parameters.require(Parameter::Username)?;
    let password = parameters.require_secret(Parameter::Password)?;
    let scopes = scope::requested(&mut parameters, &client.scopes)?;
    let auth_source = Arc::clone(client.auth_source(&auth_source_id).ok_or(Refusal::AuthSourceNotAssociated)?);
    let identifier = auth_source.identifiers.accept(&username).ok_or(Refusal::UnsupportedIdentifier)?;

    let user = auth_source.users.by_identifier(&identifier);
    let check = PasswordCheck::new(hash_to_check(&auth_source, user.as_deref(), &identifier), password);
    let guess = guess.at(Arc::clone(&auth_source), identifier);
    let attempt = Attempt { turn: Turn::Begins, guess: guess.clone() };
    let login = Login { client: Arc::clone(client), auth_source, scopes, user, guess };
    Ok(Step::Ask(Question::Attempt(attempt), Pending::Throttling(Throttling { login, check })))
}

/// The user's hash; for an unknown user a decoy, which costs the same.
fn hash_to_check(auth_source: &AuthSource, user: Option<&User>, identifier: &Identifier) -> Arc<PasswordHash> {
    match user {
        Some(user) => Arc::clone(&user.password_hash),
        None => Arc::new(auth_source.decoy(identifier)),
    }
}

impl Throttling {
    pub(super) fn client(&self) -> &Arc<Client> {
        &self.login.client
    }

    /// Goes on to the one password check that every login costs.
    pub(super) fn allowed(self) -> Step {
        Step::Ask(Question::Verify(self.check), Pending::Verifying(Verifying(self.login)))
    }
}

impl Verifying {
    pub(super) fn client(&self) -> &Arc<Client> {
        &self.0.client
    }

    /// Goes on with the result of the check, which counts before it is told.
    pub(super) fn verified(self, matches: bool) -> Step {
        let Self(login) = self;
        let matches = matches && login.user.is_some();
        let turn = if matches { Turn::Succeeded } else { Turn::Failed };
        let attempt = Attempt { turn, guess: login.guess.clone() };
        Step::Ask(Question::Attempt(attempt), Pending::Concluding(Concluding { login, matches }))
    }
}

impl Concluding {
    pub(super) fn client(&self) -> &Arc<Client> {
        &self.login.client
    }

    /// Tells the result. Status is told only to one who knew the password.
    pub(super) fn counted(self, endpoint: &Endpoint, moment: Moment) -> Result<Step, Refusal> {
        let Login { client, auth_source, scopes, user, .. } = self.login;
        let user = user.filter(|_| self.matches).ok_or(Refusal::WrongCredentials)?;
        if user.status != Status::Active {
            return Err(Refusal::AbnormalStatus);
        }
        let refresh_token = client.grants.contains(&Grant::RefreshToken).then(|| RefreshToken {
            client_id: client.id.clone(),
            auth_source_id: auth_source.id.clone(),
            user_id: user.id.clone(),
            scopes: scopes.clone(),
            expires_at: moment.now.after(endpoint.terms.lifetimes.refresh_token),
        });
        let granted = Granted { client, user, scopes, refresh_token };
        issue::begin(endpoint, Grant::Password, granted, moment)
    }
}
