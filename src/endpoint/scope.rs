//! What is asked for: scopes (RFC 6749 §3.3).

use super::{oauth_error::OAuthError, parameter::Parameter, request::Parameters};
use crate::token::OPENID;

/// The scopes of a login: those asked for, `openid` if none are, and never one that is not `allowed`.
pub(super) fn requested(parameters: &mut Parameters, allowed: &[String]) -> Result<Vec<String>, OAuthError> {
    match parameters.take(Parameter::Scope) {
        Some(scope) => narrowed(&scope, allowed),
        None => narrowed(OPENID, allowed),
    }
}

/// The scopes of a refresh: those asked for, all that were granted if none are, and never another (RFC 6749 §6).
pub(super) fn narrowed_from(parameters: &mut Parameters, granted: &[String]) -> Result<Vec<String>, OAuthError> {
    match parameters.take(Parameter::Scope) {
        Some(scope) => narrowed(&scope, granted),
        None if granted.is_empty() => Err(OAuthError::InvalidScope),
        None => Ok(granted.to_vec()),
    }
}

/// The scopes of a client that acts for itself: those asked for, all that it has if none are, and never `openid`, which
/// asks who a user is (OpenID Connect Core §3.1.2.1).
pub(super) fn without_user(parameters: &mut Parameters, allowed: &[String]) -> Result<Vec<String>, OAuthError> {
    let allowed: Vec<_> = allowed.iter().filter(|scope| *scope != OPENID).cloned().collect();
    match parameters.take(Parameter::Scope) {
        Some(scope) => narrowed(&scope, &allowed),
        None => Ok(allowed),
    }
}

fn narrowed(requested: &str, allowed: &[String]) -> Result<Vec<String>, OAuthError> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in requested.split(' ').filter(|scope| !scope.is_empty()) {
        if !allowed.iter().any(|known| known == scope) {
            return Err(OAuthError::InvalidScope);
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    if scopes.is_empty() { Err(OAuthError::InvalidScope) } else { Ok(scopes) }
}
