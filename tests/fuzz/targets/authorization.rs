//! `Authorization`: that of a caller is of one scheme at most, and that for a directory says what it was made from.

use ct_codecs::{Base64, Decoder};
use token_endpoint::{
    secret::Secret,
    text::{
        basic::{self, Authorization},
        bearer,
    },
};

pub fn read(bytes: &[u8]) {
    let header = Secret::new(bytes);
    let is_basic = !matches!(basic::parse(&header), Authorization::Other);
    assert!(!(is_basic && bearer::parse(&header).is_some()));
    let colon = bytes.iter().rposition(|byte| *byte == b':').unwrap_or(bytes.len());
    let (user, password) = (&bytes[..colon], bytes.get(colon + 1..).unwrap_or_default());
    if let Some(written) = basic::credentials(user, &Secret::new(password)) {
        let pair = Base64::decode_to_vec(written.expose().strip_prefix(b"Basic ").unwrap(), None).unwrap();
        assert!(!pair.iter().any(u8::is_ascii_control));
        let mut parts = pair.splitn(2, |byte| *byte == b':');
        assert_eq!((parts.next(), parts.next()), (Some(user), Some(password)), "as RFC 7617 §2 reads it");
    }
}
