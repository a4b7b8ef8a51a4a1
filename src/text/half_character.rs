//! Half a character in JSON: an escape of one UTF-16 surrogate without the other (RFC 8259 §8.2), which no text of ours can hold.
//! Directories cut texts in the middle of an emoji.

use std::borrow::Cow;

/// Stands for half a character: no character, for use inside of one program (Unicode §23.7).
const MARK: char = '\u{ffff}';

/// The document with a mark in the place of each half of a character.
pub(crate) fn marked(json: &[u8]) -> Cow<'_, [u8]> {
    let mut marked = Vec::new();
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, escape) = rest.split_at(at);
        let length = escape_at(escape);
        marked.extend_from_slice(before);
        marked.extend_from_slice(if is_half(escape) { b"\\uffff" } else { escape.get(..length).unwrap_or(escape) });
        rest = escape.get(length..).unwrap_or_default();
    }
    marked.extend_from_slice(rest);
    if marked == json { Cow::Borrowed(json) } else { Cow::Owned(marked) }
}

/// Whether a text has half a character in it.
pub(crate) fn is_in(text: &str) -> bool {
    text.contains(MARK)
}

/// How long the escape is that begins here; both halves of a character are one.
fn escape_at(text: &[u8]) -> usize {
    match unit(text) {
        Some(0xd800..=0xdbff) if low_follows(text) => 12,
        Some(_) => 6,
        None => 2,
    }
}

fn is_half(text: &[u8]) -> bool {
    match unit(text) {
        Some(0xd800..=0xdbff) => !low_follows(text),
        Some(0xdc00..=0xdfff) => true,
        _ => false,
    }
}

fn low_follows(text: &[u8]) -> bool {
    text.get(6..).and_then(unit).is_some_and(|unit| (0xdc00..=0xdfff).contains(&unit))
}

/// The number in `\uXXXX`.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_is_marked_and_all_else_stays() {
        for (json, expected) in [
            (r#"{"a": "b", "c": "\n\"\\ \u00e9"}"#, None),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud800""#, None),
            (r#""\ud800""#, Some(r#""\uffff""#)),
            (r#""\ude00\ud83d""#, Some(r#""\uffff\uffff""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\uffff\ud83d\ude00""#)),
            (r#""\\\ud800 \u12"#, Some(r#""\\\uffff \u12"#)),
            (r"\ud800\", Some(r"\uffff\")),
        ] {
            let found = marked(json.as_bytes());
            assert_eq!(String::from_utf8_lossy(&found), expected.unwrap_or(json));
        }
    }
}
