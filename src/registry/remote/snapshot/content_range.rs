//! `Content-Range`: which bytes of a document an answer says that it brings.

/// The bytes from `first` to `last`, both included, of a document of `total` bytes (RFC 9110 §14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    /// The place of the first byte, from 0.
    pub(crate) first: usize,
    /// The place of the last byte.
    pub(crate) last: usize,
    /// The length of the whole document. None where the server does not know it.
    pub(crate) total: Option<usize>,
}

impl ContentRange {
    /// Reads the header's value. None if it is not exactly one range that a document can have.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.split_once(' ')?;
        let (range, total) = rest.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = if total == "*" { None } else { Some(number(total)?) };
        let range = Self { first: number(first)?, last: number(last)?, total };
        (unit.eq_ignore_ascii_case("bytes") && range.is_possible()).then_some(range)
    }

    /// How many bytes there are in it.
    pub(super) fn length(&self) -> usize {
        (self.last - self.first).saturating_add(1)
    }

    fn is_possible(&self) -> bool {
        self.first <= self.last && self.total.is_none_or(|total| self.last < total)
    }
}

/// Digits and nothing else: `parse` alone would take a sign.
fn number(digits: &str) -> Option<usize> {
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_rfc_9110_are_read() {
        // The examples of §14.4.
        let examples = [
            ("bytes 42-1233/1234", 42, 1233, Some(1234)),
            ("bytes 42-1233/*", 42, 1233, None),
            ("bytes 0-499/1234", 0, 499, Some(1234)),
            ("bytes 734-1233/1234", 734, 1233, Some(1234)),
            ("Bytes 0-0/1", 0, 0, Some(1)),
        ];
        for (text, first, last, total) in examples {
            assert_eq!(ContentRange::parse(text), Some(ContentRange { first, last, total }), "{text}");
        }
        assert_eq!(ContentRange::parse("bytes 42-1233/1234").unwrap().length(), 1192);
    }

    #[test]
    fn what_is_no_range_of_a_document_is_not() {
        let wrong = [
            "",
            "bytes",
            "bytes */1234",
            "bytes 0-499",
            "bytes=0-499/1234",
            "bytes 500-499/1234",
            "bytes 0-1234/1234",
            "bytes 0-0/0",
            "bytes -5/10",
            "bytes 0-/10",
            "bytes 0-4/",
            "bytes +0-4/10",
            "bytes 0-4/-10",
            "bytes  0-4/10",
            "bytes 0-4/10 ",
            "bytes 0-4/10, 5-9/10",
            "bytes 0x0-0x4/0x10",
            "bytes 0-99999999999999999999999/*",
            "bytes 0-4/99999999999999999999999",
            "users 0-4/10",
            "bytes ٠-٤/١٠",
        ];
        for text in wrong {
            assert_eq!(ContentRange::parse(text), None, "{text}");
        }
    }
}
