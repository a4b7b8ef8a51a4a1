//! The pieces that stored hashes are written in: numbers, `name=number` lists and base64.

use ct_codecs::{Base64NoPadding, Decoder};

use super::error::PasswordHashError::{self, Malformed};

/// A stored hash of one family: `P` are its parameters.
pub(super) struct Parsed<P> {
    pub(super) parameters: P,
    pub(super) salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

/// Bounds of a salt, in bytes.
pub(super) const SALT: (usize, usize) = (8, 64);

/// Bounds of a digest, in bytes.
pub(super) const DIGEST: (usize, usize) = (16, 64);

/// A decimal number as the PHC string format wants it: digits only, no leading zero.
pub(super) fn number(text: &str, what: &'static str) -> Result<u32, PasswordHashError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain).ok_or(Malformed(what))
}

/// Reads `name=number,…`: each name at most once, in any order, and no other name.
pub(super) fn parameters<const N: usize>(
    text: &str,
    names: [&'static str; N],
) -> Result<[Option<u32>; N], PasswordHashError> {
    let mut values = [None; N];
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=').ok_or(Malformed("a parameter is not name=value"))?;
        let index = names.iter().position(|known| *known == name).ok_or(Malformed("a parameter is not known"))?;
        if values[index].replace(number(value, "a parameter is not a number that fits")?).is_some() {
            return Err(Malformed("a parameter is repeated"));
        }
    }
    Ok(values)
}

/// Salt and digest of a PHC string: base64 without padding, within the bounds.
pub(super) fn salt_and_digest(salt: &str, digest: &str) -> Result<(Vec<u8>, Vec<u8>), PasswordHashError> {
    let salt = base64(salt, "the salt is not base64 without padding")?;
    let digest = base64(digest, "the digest is not base64 without padding")?;
    bounded(&salt, &digest)?;
    Ok((salt, digest))
}

/// Checks the lengths of salt and digest.
pub(super) fn bounded(salt: &[u8], digest: &[u8]) -> Result<(), PasswordHashError> {
    within("salt length in bytes", salt, SALT)?;
    within("digest length in bytes", digest, DIGEST)
}

/// Bytes from base64 with the standard alphabet and no padding (RFC 4648 section 4).
pub(super) fn base64(text: &str, what: &'static str) -> Result<Vec<u8>, PasswordHashError> {
    Base64NoPadding::decode_to_vec(text, None).map_err(|_| Malformed(what))
}

fn within(what: &'static str, bytes: &[u8], (least, most): (usize, usize)) -> Result<(), PasswordHashError> {
    PasswordHashError::within(what, bytes.len() as u64, least as u64, most as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_without_sign_or_leading_zero() {
        assert_eq!(number("0", "n"), Ok(0));
        assert_eq!(number("4294967295", "n"), Ok(u32::MAX));
        for bad in ["", "+1", "-1", "01", "1 ", "4294967296", "١"] {
            assert_eq!(number(bad, "n"), Err(Malformed("n")), "{bad:?}");
        }
    }

    #[test]
    fn parameters_come_in_any_order_and_may_be_absent() {
        assert_eq!(parameters("t=2,m=1", ["m", "t", "p"]), Ok([Some(1), Some(2), None]));
    }

    #[test]
    fn repeated_unknown_and_bare_parameters_are_refused() {
        for bad in ["m=1,m=1", "x=1", "m", "", "m=1,", "m=", "m=x"] {
            assert!(parameters(bad, ["m"]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn base64_is_unpadded_and_canonical() {
        assert_eq!(base64("c29tZQ", "b"), Ok(b"some".to_vec()));
        for bad in ["c29tZQ==", "c29tZR", "c29t ZQ", "c", "c29tZQ\n"] {
            assert_eq!(base64(bad, "b"), Err(Malformed("b")), "{bad:?}");
        }
    }
}
