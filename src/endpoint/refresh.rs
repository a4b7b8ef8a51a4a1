//! The refresh token grant (RFC 6749 §6): what was granted once is granted again, if all of it still holds.

use std::sync::Arc;

use super::{Caller, Endpoint, Find, Parameter, Parameters, Pending, Question, Refusal, Step, issue, scope};
use crate::{
    registry::{
        auth_source::Directory,
        client::{Client, Grant},
        user::{Found, Status, User},
    },
    time::Moment,
    token::{Granted, refresh::RefreshToken},
};

/// A refresh whose user is being looked for again.
#[derive(Debug)]
pub struct Renewing {
    client: Arc<Client>,
    token: RefreshToken,
    scopes: Vec<String>,
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
    let token = RefreshToken::open(&endpoint.sealer, &endpoint.terms.issuer, &sealed, moment.now)
        .filter(|token| token.client_id == client.id)
        .ok_or(Refusal::InvalidRefreshToken)?;
    let still_allowed = token.scopes.iter().filter(|scope| client.scopes.contains(scope)).cloned().collect::<Vec<_>>();
    let scopes = scope::narrowed_from(&mut parameters, &still_allowed)?;
    let auth_source = Arc::clone(client.auth_source(&token.auth_source_id).ok_or(Refusal::InvalidRefreshToken)?);
    let renewing = Renewing { client: Arc::clone(client), token, scopes };
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
    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Goes on with whom the directory found.
    pub(super) fn found(self, endpoint: &Endpoint, found: Found, moment: Moment) -> Result<Step, Refusal> {
        let user = match found {
            Found::Account(account) => Some(account.user),
            Found::Nobody { .. } => None,
        };
        self.renew(endpoint, user, moment)
    }

    /// Issues new tokens, if it is the same user still, and active.
    fn renew(self, endpoint: &Endpoint, user: Option<Arc<User>>, moment: Moment) -> Result<Step, Refusal> {
        let Self { client, token, scopes } = self;
        let user = user.filter(|user| user.id == token.user_id).ok_or(Refusal::InvalidRefreshToken)?;
        if user.status != Status::Active {
            return Err(Refusal::AbnormalStatus);
        }
        let granted = Granted { client, user, scopes, refresh_token: Some(token) };
        issue::begin(endpoint, Grant::RefreshToken, granted, moment)
    }
}
