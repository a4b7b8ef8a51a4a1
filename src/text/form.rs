//! `application/x-www-form-urlencoded`, read strictly: the `url` crate's reader mends what is broken, and a broken
//! password must be refused, not mended (RFC 6749 appendix B).

use zeroize::Zeroizing;

/// A name or a value is not percent-encoded UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The pairs of a form in their order, names and values still encoded.
pub fn pairs(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(equals);
        (name, value.get(1..).unwrap_or_default())
    })
}

/// Decodes one name or value: `+` is a space, `%` and two hexadecimal digits are a byte, and the whole is UTF-8.
pub fn decode(encoded: &[u8]) -> Result<Zeroizing<String>, Malformed> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len()));
    let mut rest = encoded;
    while let Some((byte, after)) = next(rest)? {
        bytes.push(byte);
        rest = after;
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Malformed)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The first decoded byte and what follows it.
fn next(encoded: &[u8]) -> Result<Option<(u8, &[u8])>, Malformed> {
    match encoded {
        [] => Ok(None),
        [b'+', rest @ ..] => Ok(Some((b' ', rest))),
        [b'%', high, low, rest @ ..] => Ok(Some((digit(*high)? << 4 | digit(*low)?, rest))),
        [b'%', ..] => Err(Malformed),
        [byte, rest @ ..] => Ok(Some((*byte, rest))),
    }
}

fn digit(byte: u8) -> Result<u8, Malformed> {
    let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
    u8::try_from(digit).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoded: &str) -> Result<String, Malformed> {
        decode(encoded.as_bytes()).map(|text| text.to_string())
    }

    #[test]
    fn pairs_come_in_order_and_may_lack_a_value() {
        let pairs: Vec<_> = pairs(b"a=1&&b&c==&=d").collect();
        let expected: [(&[u8], &[u8]); 4] = [(b"a", b"1"), (b"b", b""), (b"c", b"="), (b"", b"d")];
        assert_eq!(pairs, expected);
    }

    /// The example of RFC 6749 appendix B.
    #[test]
    fn the_rfc_example_decodes() {
        assert_eq!(decoded("+%25%26%2B%C2%A3%E2%82%AC").as_deref(), Ok(" %&+£€"));
    }

    #[test]
    fn what_is_broken_is_refused() {
        for broken in ["%", "%1", "%zz", "%+1", "a%2", "%ff", "%c3%28", "%ed%a0%80"] {
            assert_eq!(decoded(broken), Err(Malformed), "{broken}");
        }
    }

    #[test]
    fn raw_utf8_and_an_encoded_nul_are_data() {
        assert_eq!(decoded("é%00").as_deref(), Ok("é\0"));
    }
}
