//! The parameters of a request (RFC 6749 §3.2), each at most once.

use zeroize::Zeroizing;

use super::{oauth_error::OAuthError, parameter::Parameter};
use crate::{secret::Secret, text::form};

/// The parameters of one request that it may have; others are ignored.
pub struct Parameters(Vec<(Parameter, Zeroizing<String>)>);

impl Parameters {
    /// Reads a form that may have the `known` parameters.
    pub fn parse(body: &Secret, known: &[Parameter]) -> Result<Self, OAuthError> {
        let mut parameters = Self(Vec::with_capacity(known.len()));
        for (name, value) in form::pairs(body.expose()) {
            let name = form::decode(name).map_err(|_| OAuthError::MalformedForm)?;
            if let Some(parameter) = known.iter().find(|parameter| parameter.name() == *name) {
                parameters.insert(*parameter, value)?;
            }
        }
        Ok(parameters)
    }

    fn insert(&mut self, parameter: Parameter, value: &[u8]) -> Result<(), OAuthError> {
        if self.0.iter().any(|(present, _)| *present == parameter) {
            return Err(OAuthError::Repeated(parameter));
        }
        let value = form::decode(value).map_err(|_| OAuthError::Malformed(parameter))?;
        self.0.push((parameter, value));
        Ok(())
    }

    /// Takes a parameter's value out. An empty one counts as omitted (RFC 6749 §3.2).
    pub fn take(&mut self, parameter: Parameter) -> Option<Zeroizing<String>> {
        let at = self.0.iter().position(|(present, value)| *present == parameter && !value.is_empty())?;
        Some(self.0.swap_remove(at).1)
    }

    /// Takes out a parameter that must be there.
    pub(crate) fn require(&mut self, parameter: Parameter) -> Result<Zeroizing<String>, OAuthError> {
        self.take(parameter).ok_or(OAuthError::Missing(parameter))
    }

    /// Takes out a secret, if it is there.
    pub(crate) fn take_secret(&mut self, parameter: Parameter) -> Option<Secret> {
        self.take(parameter).map(|value| Secret::new(value.as_bytes()))
    }

    /// Takes out a secret that must be there.
    pub(crate) fn require_secret(&mut self, parameter: Parameter) -> Result<Secret, OAuthError> {
        self.take_secret(parameter).ok_or(OAuthError::Missing(parameter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::parameter::OF_TOKEN_REQUEST;

    fn parse(body: &str) -> Result<Parameters, OAuthError> {
        Parameters::parse(&Secret::new(body), OF_TOKEN_REQUEST)
    }

    #[test]
    fn an_empty_parameter_counts_as_omitted() {
        let mut parameters = parse("username=&password=x").ok().unwrap();
        assert_eq!(parameters.require(Parameter::Username), Err(OAuthError::Missing(Parameter::Username)));
        assert!(parameters.take(Parameter::Password).is_some());
    }

    #[test]
    fn a_repeated_parameter_is_refused_even_if_empty_or_encoded() {
        for body in ["scope=a&scope=a", "scope=&scope=a", "scope=a&%73cope=b"] {
            assert_eq!(parse(body).err(), Some(OAuthError::Repeated(Parameter::Scope)), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_named_where_it_is_known() {
        assert_eq!(parse("password=%ff").err(), Some(OAuthError::Malformed(Parameter::Password)));
        assert_eq!(parse("%ff=1").err(), Some(OAuthError::MalformedForm));
    }

    #[test]
    fn unknown_parameters_are_ignored_however_often_and_whatever_they_hold() {
        assert!(parse("nonce=1&nonce=%ff&username=a").is_ok());
    }
}
