//! The client credentials grant (RFC 6749 §4.4): a client that has proven itself acts for itself. It gets neither a refresh
//! token (§4.4.3) nor an ID token, since there is no user.

use std::sync::Arc;

use super::{
    issue, oauth_error::OAuthError, request::Parameters, request_context::RequestContext, scope, settings::Endpoint,
    step::Step,
};
use crate::{
    registry::{
        client::{Client, Grant},
        user::User,
    },
    state::TokenId,
    time::Moment,
    token::{GrantedRequest, RefreshTokenPolicy},
};

/// Issues an access token.
pub(super) fn begin(
    endpoint: &Endpoint,
    client: &Arc<Client>,
    mut parameters: Parameters,
    moment: Moment,
) -> Result<Step, OAuthError> {
    let scopes = scope::without_user(&mut parameters, &client.scopes)?;
    let user = Arc::new(User::of_client(&client.id));
    let granted = GrantedRequest {
        client: Arc::clone(client),
        user,
        user_reference: None,
        scopes,
        coming_back: RefreshTokenPolicy::Never,
    };
    let about = RequestContext::by(client, Grant::ClientCredentials);
    issue::begin(endpoint, about, granted, TokenId::fresh(moment.entropy), moment.now)
}
