//! Exchanges that wait, as plain data: what each kind of them needs to go on. How they go on stands with their flow.

use std::{fmt, sync::Arc};

use super::{attempt::PasswordGuess, oauth_error::OAuthError};
use crate::{
    attempts::Reservation,
    crypto::password::PasswordHash,
    origin::Origin,
    registry::{
        auth_source::AuthSource,
        client::Client,
        identifier::Identifier,
        user::{Account, User},
    },
    secret::Secret,
    state::OriginMark,
    time::UnixTime,
    token::{GrantedRequest, presented::AccessToken, refresh::RefreshToken},
};

/// Who waits for a guess to be settled.
#[derive(Debug)]
pub enum AfterSettle {
    /// A login whose password was checked.
    Concluding(Box<Concluding>),
    /// A login that could not be had.
    Excusing(Excusing),
}

/// Who waits for a user to be found.
#[derive(Debug)]
pub enum AfterFind {
    /// A login.
    FindingUser(FindingUser),
    /// A refresh, whose user is being looked for again.
    Renewing(Renewing),
    /// A token that a client asks about.
    Introspecting(Introspecting),
    /// A token with which the user's claims are asked for.
    Informing(Informing),
}

/// Who waits for a signature.
#[derive(Debug)]
pub enum AfterSign {
    /// Tokens being made: the access token's signature is next.
    Access(SigningAccess),
    /// Tokens being made: the ID token's signature is next.
    Id(SigningId),
}

/// Who waits to know whether a token's signature is good.
#[derive(Debug)]
pub enum AfterCheckSignature {
    /// A token that a client asks about.
    Introspecting(Introspecting),
    /// A token with which a user's claims are asked for.
    Informing(Informing),
    /// A token that ends.
    Revoking(RevokingAccess),
}

/// Who waits to know whether a token is good.
#[derive(Debug)]
pub enum AfterCheckActive {
    /// A refresh whose token is not rotated.
    Refreshing(LookingUp),
    /// A token that a client asks about.
    Introspecting(Introspecting),
    /// A token with which a user's claims are asked for.
    Informing(Informing),
}

/// Who waits for the end of a token to be remembered.
#[derive(Debug)]
pub enum AfterRemember {
    /// A refresh that is refused once its family has ended.
    Ending(Ending),
    /// A token that ends.
    Revoking(Revoking),
}

/// What is known of a caller, whichever grant it asks for.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) origin: Origin,
    pub(super) traceparent: Option<String>,
}

/// A client that sent a wrong secret and has yet to be told so.
#[derive(Debug)]
pub struct Rejecting {
    pub(super) basic: bool,
}

/// What a client says of itself.
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: Option<Secret>,
    pub(super) basic: bool,
}

/// A login, read and found to make sense.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) client: Arc<Client>,
    pub(super) auth_source: Arc<AuthSource>,
    pub(super) identifier: Identifier,
    pub(super) scopes: Vec<String>,
    pub(super) guess: PasswordGuess,
    pub(super) traceparent: Option<String>,
}

/// A login that waits for the attempt limits to allow it.
#[derive(Debug)]
pub struct Throttling {
    pub(super) login: Login,
    pub(super) password: Secret,
}

/// A login that the attempt limits allow.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) login: Login,
    pub(super) reservation: Reservation,
}

/// A login whose user is being looked for.
#[derive(Debug)]
pub struct FindingUser {
    pub(super) allowed: Allowed,
    pub(super) password: Secret,
}

/// A login whose password is being checked, here.
#[derive(Debug)]
pub struct Verifying {
    pub(super) allowed: Allowed,
    pub(super) account: Option<Account>,
}

/// A login whose password is being checked by the directory.
#[derive(Debug)]
pub struct Confirming(pub(super) Allowed);

/// A login whose password was checked, and whose caller has yet to be told.
#[derive(Debug)]
pub struct Concluding {
    pub(super) login: Login,
    /// The user, if the password was right, and the hash that it was right by, if that is known here.
    pub(super) user: Option<(Arc<User>, Option<Arc<PasswordHash>>)>,
}

/// A login that could not be had, and whose guess is taken back.
#[derive(Debug)]
pub struct Excusing(pub(super) OAuthError);

/// Tokens that wait for the access token's signature.
#[derive(Debug)]
pub struct SigningAccess {
    pub(super) granted: GrantedRequest,
    pub(super) input: Arc<str>,
    pub(super) expires_at: UnixTime,
}

/// Tokens that wait for the ID token's signature.
#[derive(Debug)]
pub struct SigningId {
    pub(super) granted: GrantedRequest,
    pub(super) access_token: SignedAccessToken,
    pub(super) input: Arc<str>,
}

/// Tokens that are signed, and the answer with them but for the refresh token.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) scope: Option<String>,
    pub(super) access_token: SignedAccessToken,
    pub(super) id_token: Option<IdToken>,
}

/// A signed ID token.
pub(super) struct IdToken(pub(super) String);

/// A signed access token.
pub(super) struct SignedAccessToken {
    pub(super) jwt: String,
    pub(super) expires_at: UnixTime,
}

/// A refresh whose user is being looked for again.
#[derive(Debug)]
pub struct Renewing {
    pub(super) client: Arc<Client>,
    pub(super) token: RefreshToken,
    pub(super) scopes: Vec<String>,
    /// From where the token came, if that is known.
    pub(super) from: Option<OriginMark>,
}

/// A refresh whose tokens are signed, if its refresh token may be used.
#[derive(Debug)]
pub struct UsingRefreshToken {
    pub(super) signed: Signed,
    pub(super) token: RefreshToken,
}

/// The same, with a refresh token that stays what it is.
#[derive(Debug)]
pub struct LookingUp {
    pub(super) signed: Signed,
    pub(super) token: RefreshToken,
}

/// A refresh that is refused, and whose family ends with it.
#[derive(Debug)]
pub struct Ending(pub(super) OAuthError);

/// A revocation that is told once it is remembered.
#[derive(Debug)]
pub struct Revoking;

/// An access token that a client wants to end.
#[derive(Debug)]
pub struct RevokingAccess {
    pub(super) client: Arc<Client>,
    pub(super) token: AccessToken,
}

/// A token that is good by itself, unless something else is remembered of it.
#[derive(Debug)]
pub struct Introspecting(pub(super) Good);

/// A token of either kind.
#[derive(Debug)]
pub(super) enum Good {
    Access(AccessToken),
    Refresh(Arc<Client>, RefreshToken),
}

/// The same, at userinfo.
#[derive(Debug)]
pub struct Informing(pub(super) AccessToken);

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(…)")
    }
}

impl fmt::Debug for SignedAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
