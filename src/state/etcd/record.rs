//! How a family is written in etcd: a short text that an operator can read, and that has one spelling only.

use crate::{
    state::{Family, FamilyId, FamilyStatus, TokenId},
    time::UnixTime,
};

/// The longest text that can be a family: three numbers.
const LONGEST: usize = 64;

/// Where a family is.
pub(super) fn family_key(prefix: &str, FamilyId(id): FamilyId) -> String {
    format!("{prefix}families/{id:016x}")
}

/// Where an access token is that ended before its time.
pub(super) fn denied_key(prefix: &str, token: TokenId) -> String {
    format!("{prefix}denied/{token}")
}

/// `generation since until`, or `ended since until`.
pub(super) fn family_text(family: &Family) -> String {
    let Family { standing, since: UnixTime(since), until: UnixTime(until) } = family;
    match standing {
        FamilyStatus::Newest(generation) => format!("{generation} {since} {until}"),
        FamilyStatus::Ended => format!("ended {since} {until}"),
    }
}

/// The family that a text was made from. None for any other text.
pub(super) fn parse_family(text: &[u8]) -> Option<Family> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= LONGEST)?;
    let mut parts = text.splitn(3, ' ');
    let standing = match parts.next()? {
        "ended" => FamilyStatus::Ended,
        generation => FamilyStatus::Newest(generation.parse().ok()?),
    };
    let mut time = || parts.next()?.parse().ok().map(UnixTime);
    let family = Family { standing, since: time()?, until: time()? };
    (family_text(&family) == text).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Entropy;

    #[test]
    fn a_family_has_one_spelling() {
        for text in ["1 100 9000", "ended 100 9000", "4294967295 18446744073709551615 0"] {
            assert_eq!(parse_family(text.as_bytes()).map(|family| family_text(&family)).as_deref(), Some(text));
        }
        for text in [
            "",
            "1",
            "1 2",
            "1 2 3 4",
            " 1 2 3",
            "1  2 3",
            "1 2 3 ",
            "01 2 3",
            "+1 2 3",
            "-1 2 3",
            "Ended 2 3",
            "1 2 x",
            "4294967296 2 3",
            "1 18446744073709551616 3",
            "1\t2 3",
        ] {
            assert_eq!(parse_family(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_family(&[0xff]), None);
        assert_eq!(parse_family("1".repeat(100).as_bytes()), None);
    }

    #[test]
    fn keys_are_under_the_prefix() {
        assert_eq!(family_key("gateway/", FamilyId(0xabc)), "gateway/families/0000000000000abc");
        let token = TokenId::fresh(Entropy::new([7; 32]));
        assert_eq!(denied_key("", token), format!("denied/{token}"));
    }
}
