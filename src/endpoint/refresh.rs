//! The refresh token grant (RFC 6749 §6): what was granted once is granted again, if all of it still holds. Each use of a
//! token gives the next of its family, so that a stolen one shows (RFC 9700 §4.14.2).

use std::sync::Arc;

use super::{
    issue,
    oauth_error::OAuthError,
    parameter::Parameter,
    request::Parameters,
    request_context::RequestContext,
    revocation, scope,
    settings::Endpoint,
    step::{Effect, Find, FindFor, Pending, Step},
    waiting::{AfterFind, AfterRemember, Caller, Ending, Renewing},
};
use crate::{
    registry::{
        auth_source::Directory,
        client::{Client, Grant},
        user::{Account, Found, Status},
    },
    state::TokenId,
    time::Moment,
    token::{GrantedRequest, RefreshTokenPolicy, refresh::RefreshToken},
};

/// Opens the token, and looks the user up again in the directory of the login, if the client may still serve it.
pub(super) fn begin(
    endpoint: &Endpoint,
    client: &Arc<Client>,
    mut parameters: Parameters,
    caller: Caller,
    moment: Moment,
) -> Result<Step, OAuthError> {
    let sealed = parameters.require_secret(Parameter::RefreshToken)?;
    let token = endpoint.open_refresh_token(client, &sealed, moment.now).ok_or(OAuthError::InvalidRefreshToken)?;
    let still_allowed = token.scopes.iter().filter(|scope| client.scopes.contains(scope)).cloned().collect::<Vec<_>>();
    let scopes = scope::narrowed_from(&mut parameters, &still_allowed)?;
    let from = caller.user_origin(client, &mut parameters)?.and_then(|origin| token.mark_of(origin));
    let auth_source = Arc::clone(client.auth_source(&token.auth_source_id).ok_or(OAuthError::InvalidRefreshToken)?);
    let about = RequestContext::by(client, Grant::RefreshToken).with_user(&auth_source, &token.identifier);
    let renewing = Renewing { client: Arc::clone(client), token, scopes, from };
    match &auth_source.directory {
        Directory::Users(users) => {
            let account = users.by_id(&renewing.token.user_id).cloned();
            renewing.renew(endpoint, account, about, moment)
        }
        Directory::Lookup(_) | Directory::Snapshot(_) => {
            let identifier = renewing.token.identifier.clone();
            let auth_source = Arc::clone(&auth_source);
            let find = Find { auth_source, identifier, traceparent: caller.traceparent, purpose: FindFor::Tokens };
            Ok(Step::Ask(Effect::Find(find, Pending::new(about, AfterFind::Renewing(renewing)))))
        }
        Directory::Verify(_) => Err(OAuthError::InvalidRefreshToken),
    }
}

impl Renewing {
    /// Goes on with whom the directory found.
    pub(super) fn found(
        self,
        found: Found,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let account = match found {
            Found::Account(account) => Some(account),
            Found::NotFound { .. } => None,
        };
        self.renew(endpoint, account, about, moment)
    }

    /// Issues new tokens if it is the same user still, active, and with the same password. Otherwise the family ends.
    fn renew(
        self,
        endpoint: &Endpoint,
        account: Option<Account>,
        about: RequestContext,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let Self { client, token, scopes, from } = self;
        let is_same = |account: &Account| account.user.id == token.user_id && !token.is_older_than_password_of(account);
        match account.filter(is_same) {
            Some(Account { user, password_hash }) if user.status == Status::Active => {
                let (now, (for_id, for_seal)) = (moment.now, moment.entropy.fork());
                let id = TokenId::in_family(for_id, token.family);
                let source = client.auth_source(&token.auth_source_id).ok_or(OAuthError::InvalidRefreshToken)?;
                let (id, user_reference) =
                    endpoint.tie(id, source, &token.identifier, Some(&password_hash), now, for_seal);
                let coming_back = RefreshTokenPolicy::Again(token, from);
                let granted = GrantedRequest { client, user, user_reference, scopes, coming_back };
                issue::begin(endpoint, about, granted, id, now)
            }
            Some(_) => Ok(end(endpoint, about, &token, OAuthError::AccountNotActive)),
            None => Ok(end(endpoint, about, &token, OAuthError::InvalidRefreshToken)),
        }
    }
}

fn end(endpoint: &Endpoint, about: RequestContext, token: &RefreshToken, refusal: OAuthError) -> Step {
    let ending = revocation::end_of_family(endpoint, token);
    Step::Ask(Effect::Remember(ending, Pending::new(about, AfterRemember::Ending(Ending(refusal)))))
}

impl Ending {
    /// What is told once the family has ended.
    pub(super) fn refusal(self) -> OAuthError {
        self.0
    }
}
