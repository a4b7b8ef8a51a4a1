//! Where the user of a request is, whichever grant it asks for.

use super::{oauth_error::OAuthError, parameter::Parameter, request::Parameters, waiting::Caller};
use crate::{origin::Origin, registry::client::Client};

impl Caller {
    /// Where the user is. Behind a client that keeps a secret stand many, of whom it may tell the addresses; nobody else is
    /// believed.
    pub(super) fn user_origin(
        &self,
        client: &Client,
        parameters: &mut Parameters,
    ) -> Result<Option<Origin>, OAuthError> {
        if !client.is_confidential() {
            return Ok(Some(self.origin));
        }
        let malformed = OAuthError::Malformed(Parameter::UserAddress);
        let told = parameters.take(Parameter::UserAddress);
        told.map(|address| Origin::of_address(&address).ok_or(malformed)).transpose()
    }
}
