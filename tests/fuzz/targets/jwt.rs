//! Access tokens that callers present: nobody but the key makes one, and what it has signed is read or refused.
//!
//! An input is a token; and, where it has two lines, a header and claims that the key signs.

use ct_codecs::{Base64UrlSafeNoPadding as Base64, Encoder};
use token_endpoint::{
    crypto::jws::SigningKey,
    secret::Secret,
    token::presented::{AccessToken, Presented},
};

use super::fixture::{CONFIGURATION, NOW};

pub fn read(bytes: &[u8]) {
    if let Some(token) = accepted(bytes) {
        let jwt = std::str::from_utf8(bytes).unwrap();
        let (input, _) = jwt.rsplit_once('.').unwrap();
        assert_eq!(jwt, signed(input), "Ed25519 signatures have one form: {token:?}");
    }
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    if let (Some(header), Some(claims)) = (lines.next(), lines.next()) {
        let jwt = signed(&format!("{}.{}", encoded(header), encoded(claims)));
        if let Some(token) = accepted(jwt.as_bytes()) {
            assert!(token.expires_at > NOW);
        }
    }
}

fn accepted(jwt: &[u8]) -> Option<AccessToken> {
    let endpoint = &CONFIGURATION.endpoint;
    let presented =
        Presented::read(&endpoint.terms, |kid| endpoint.keys.published_key(kid, NOW), &Secret::new(jwt), NOW)?;
    presented.check.is_good().then_some(presented.token)
}

fn signed(input: &str) -> String {
    format!("{input}.{}", encoded(&key().sign(input.as_bytes()).unwrap()))
}

fn key() -> &'static SigningKey {
    CONFIGURATION.endpoint.keys.active(NOW).unwrap()
}

fn encoded(bytes: &[u8]) -> String {
    Base64::encode_to_string(bytes).unwrap()
}
