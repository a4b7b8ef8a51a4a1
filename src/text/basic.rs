//! HTTP Basic credentials of a client (RFC 7617, and RFC 6749 §2.3.1 for what is inside them).

use ct_codecs::{Base64, Decoder};
use zeroize::Zeroizing;

use crate::{secret::Secret, text::form};

/// What an `Authorization` header says of a client.
#[derive(Debug)]
pub enum Authorization {
    /// Another scheme: no client credentials.
    Other,
    /// The Basic scheme, with something that can't be read.
    Malformed,
    /// A client's id and secret, form-decoded.
    Basic {
        /// The user-id of RFC 7617, here a client's id.
        id: String,
        /// The password of RFC 7617, here a client's secret; it may be empty.
        secret: Secret,
    },
}

/// Reads the value of an `Authorization` header.
pub fn parse(header: &Secret) -> Authorization {
    let value = header.expose();
    let scheme_ends = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
    let (scheme, credentials) = value.split_at(scheme_ends);
    if !scheme.eq_ignore_ascii_case(b"Basic") {
        return Authorization::Other;
    }
    credentials_of(credentials.trim_ascii()).unwrap_or(Authorization::Malformed)
}

fn credentials_of(encoded: &[u8]) -> Option<Authorization> {
    let pair = Zeroizing::new(Base64::decode_to_vec(encoded, None).ok()?);
    let colon = pair.iter().position(|&byte| byte == b':')?;
    let (id, secret) = pair.split_at(colon);
    Some(Authorization::Basic {
        id: form::decode(id).ok()?.to_string(),
        secret: Secret::new(form::decode(secret.get(1..)?).ok()?.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Authorization {
        parse(&Secret::new(header))
    }

    /// The example of RFC 6749 §2.3.1: client `s6BhdRkqt3`, secret `7Fjfp0ZBr1KtDRbnfVdmIw` (§4.1.3).
    #[test]
    fn the_rfc_example_is_read() {
        let read = read("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
        let Authorization::Basic { id, secret } = read else { panic!("{read:?}") };
        assert_eq!(id, "s6BhdRkqt3");
        assert_eq!(secret, Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"));
    }

    #[test]
    fn id_and_secret_are_form_decoded_after_base64() {
        // base64 of `a%3Ab:c+d%25`
        let read = read("basic YSUzQWI6YytkJTI1");
        let Authorization::Basic { id, secret } = read else { panic!("{read:?}") };
        assert_eq!(id, "a:b");
        assert_eq!(secret, Secret::new("c d%"));
    }

    #[test]
    fn another_scheme_is_no_client_credentials() {
        assert!(matches!(read("Bearer abc"), Authorization::Other));
        assert!(matches!(read("Basically x"), Authorization::Other));
    }

    #[test]
    fn what_cannot_be_read_is_malformed() {
        // no base64; base64 of `nocolon`; base64 of `a:%zz`; nothing
        for header in ["Basic ???", "Basic bm9jb2xvbg==", "Basic YToleno=", "Basic", "Basic "] {
            assert!(matches!(read(header), Authorization::Malformed), "{header}");
        }
    }
}
