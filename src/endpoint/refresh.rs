//! The refresh token grant (RFC 6749 §6): what was granted once is granted again, if all of it still holds.

use std::sync::Arc;

use super::{Endpoint, Parameter, Parameters, Refusal, Step, issue, scope};
use crate::{
    registry::{
        client::{Client, Grant},
        user::{Status, User},
    },
    time::Moment,
    token::{Granted, refresh::RefreshToken},
};

/// Opens the token, looks the user up again and goes on to new tokens.
pub fn begin(
    endpoint: &Endpoint,
    client: &Arc<Client>,
    mut parameters: Parameters,
    moment: Moment,
) -> Result<Step, Refusal> {
    let sealed = parameters.require_secret(Parameter::RefreshToken)?;
    let token = RefreshToken::open(&endpoint.sealer, &endpoint.terms.issuer, &sealed, moment.now)
        .filter(|token| token.client_id == client.id)
        .ok_or(Refusal::InvalidRefreshToken)?;
    let scopes = scope::narrowed_from(&mut parameters, &token.scopes)?;
    let user = user_of(client, &token)?;
    let granted = Granted { client: client.clone(), user, scopes, refresh_token: Some(token) };
    issue::begin(endpoint, Grant::RefreshToken, granted, moment)
}

/// The user as of now: still there, still active, and the client still may serve that directory.
fn user_of(client: &Client, token: &RefreshToken) -> Result<Arc<User>, Refusal> {
    let auth_source = client.auth_source(&token.auth_source_id).ok_or(Refusal::InvalidRefreshToken)?;
    let user = auth_source.users.by_id(&token.user_id).ok_or(Refusal::InvalidRefreshToken)?;
    match user.status {
        Status::Active => Ok(user),
        Status::Locked | Status::Frozen | Status::Disabled => Err(Refusal::AbnormalStatus),
    }
}
