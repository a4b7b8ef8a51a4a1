//! HTTP Basic credentials: those of a client, read (RFC 7617, and RFC 6749 §2.3.1 for what is inside them), and those
//! that a directory wants, written.

use ct_codecs::{Base64, Decoder, Encoder};
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

/// Writes the value of an `Authorization` header, in UTF-8. None for a user or a password that the scheme can't carry:
/// neither may have control characters, and the user no colon (RFC 7617 §2).
pub fn credentials(user: &[u8], password: &Secret) -> Option<Secret> {
    let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.expose().len()));
    pair.extend_from_slice(user);
    pair.push(b':');
    pair.extend_from_slice(password.expose());
    if user.contains(&b':') || pair.iter().any(u8::is_ascii_control) {
        return None;
    }
    let encoded = Zeroizing::new(Base64::encode_to_string(&*pair).ok()?);
    let mut value = Vec::with_capacity(SCHEME.len() + encoded.len());
    value.extend_from_slice(SCHEME);
    value.extend_from_slice(encoded.as_bytes());
    Some(Secret::new(value))
}

const SCHEME: &[u8] = b"Basic ";

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

    /// The example of RFC 7617 §2, and the one of §2.1, which is in UTF-8.
    #[test]
    fn credentials_are_written_as_the_rfc_has_them() {
        let written = |user: &str, password| credentials(user.as_bytes(), &Secret::new(password));
        assert_eq!(written("Aladdin", "open sesame"), Some(Secret::new("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
        assert_eq!(written("test", "123£"), Some(Secret::new("Basic dGVzdDoxMjPCow==")));
        for (user, password) in [("a:b", "c"), ("a\0", "b"), ("a", "b\0c"), ("a", "b\r\nc")] {
            assert_eq!(written(user, password), None);
        }
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
