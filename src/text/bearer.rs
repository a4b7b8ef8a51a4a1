//! Bearer tokens in an `Authorization` header (RFC 6750 §2.1).

use crate::secret::Secret;

/// The token in the value of an `Authorization` header. None for another scheme.
pub fn parse(header: &Secret) -> Option<Secret> {
    let value = header.expose();
    let scheme_ends = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(scheme_ends);
    scheme.eq_ignore_ascii_case(b"Bearer").then(|| Secret::new(token.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<Secret> {
        parse(&Secret::new(header))
    }

    /// The example of RFC 6750 §2.1.
    #[test]
    fn the_rfc_example_is_read_whatever_the_case_of_its_scheme() {
        for header in ["Bearer mF_9.B5f-4.1JqM", "bearer mF_9.B5f-4.1JqM", "BEARER  mF_9.B5f-4.1JqM "] {
            assert_eq!(read(header), Some(Secret::new("mF_9.B5f-4.1JqM")), "{header}");
        }
    }

    #[test]
    fn another_scheme_has_no_token_and_a_scheme_alone_has_an_empty_one() {
        assert_eq!(read("Basic bearer"), None);
        assert_eq!(read("Bearers x"), None);
        assert_eq!(read("Bearer"), Some(Secret::new("")));
    }
}
