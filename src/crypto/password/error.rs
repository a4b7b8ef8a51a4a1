//! Why a stored hash is refused, in words for the operator who wrote it down.

use std::fmt;

/// Why a stored hash, or the cost of a new one, is refused. It never holds anything of the text that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordHashError {
    /// The text is longer than any hash: the bound in bytes.
    TooLong(usize),
    /// The text does not begin like any hash that is known here.
    UnknownAlgorithm,
    /// A known variant which is refused, and why.
    Unsupported(&'static str),
    /// The named part is missing, repeated or not written as it should be.
    Malformed(&'static str),
    /// The named parameter is outside of what can be checked here; both bounds are still good.
    OutOfBounds {
        /// The parameter, with its unit.
        parameter: &'static str,
        /// The least value accepted.
        least: u64,
        /// The greatest value accepted.
        most: u64,
    },
}

impl PasswordHashError {
    /// The value, if it is within the bounds.
    pub(super) fn within(parameter: &'static str, value: u64, least: u64, most: u64) -> Result<(), Self> {
        let error = Self::OutOfBounds { parameter, least, most };
        if (least..=most).contains(&value) { Ok(()) } else { Err(error) }
    }
}

impl fmt::Display for PasswordHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(most) => write!(f, "a password hash has at most {most} bytes"),
            Self::UnknownAlgorithm => write!(f, "unknown kind of password hash; known are {KNOWN}"),
            Self::Unsupported(what) => write!(f, "unsupported password hash: {what}"),
            Self::Malformed(part) => write!(f, "malformed password hash: {part}"),
            Self::OutOfBounds { parameter, least, most } => {
                write!(f, "password hash: {parameter} must be from {least} to {most}")
            }
        }
    }
}

impl std::error::Error for PasswordHashError {}

const KNOWN: &str = "$argon2id$, $argon2i$, $argon2d$, $2a$, $2b$, $2y$ (bcrypt), $scrypt$, \
    $pbkdf2-sha256$, $pbkdf2-sha512$ and pbkdf2_sha256$ (Django)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_parameter_and_its_bounds() {
        let error = PasswordHashError::within("bcrypt cost", 15, 4, 14).unwrap_err();
        assert_eq!(error.to_string(), "password hash: bcrypt cost must be from 4 to 14");
    }

    #[test]
    fn both_bounds_are_good() {
        for value in [4, 14] {
            assert_eq!(PasswordHashError::within("cost", value, 4, 14), Ok(()));
        }
    }
}
