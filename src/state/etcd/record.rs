//! How a family is written in etcd: in short texts that an operator can read, each with one spelling only.
//!
//! From where its tokens are used stands under keys of their own. What stands under the family's has to stay what earlier
//! versions write, which may be at work beside this one; and who begins a generation can't know, without another call, what
//! was seen in the graces before.

use crate::{
    state::{Family, FamilyId, FamilyStatus, OriginMark, Places, TokenId},
    time::UnixTime,
};

/// The longest text that can be a family: three numbers.
const LONGEST: usize = 64;

/// Where a family is.
pub(super) fn family_key(prefix: &str, FamilyId(id): FamilyId) -> String {
    format!("{prefix}families/{id:016x}")
}

/// Where it is from where its newest generation was begun.
pub(super) fn origin_key(prefix: &str, FamilyId(id): FamilyId) -> String {
    format!("{prefix}origins/{id:016x}")
}

/// Where it is which generation's grace was last used from elsewhere.
pub(super) fn grace_key(prefix: &str, FamilyId(id): FamilyId) -> String {
    format!("{prefix}graces/{id:016x}")
}

/// Where an access token is that ended before its time.
pub(super) fn denied_key(prefix: &str, token: TokenId) -> String {
    format!("{prefix}denied/{token}")
}

/// `generation since until`, or `ended since until`.
pub(super) fn family_text(family: &Family) -> String {
    let Family { standing, since: UnixTime(since), until: UnixTime(until), places: _ } = family;
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
    let family = Family { standing, since: time()?, until: time()?, places: Places::default() };
    (family_text(&family) == text).then_some(family)
}

/// All records of a family, by their keys.
pub(super) fn records(prefix: &str, id: FamilyId, family: &Family) -> Vec<(String, String)> {
    let Places { began_from, elsewhere } = family.places;
    let origin = newest(family).zip(began_from).map(|(generation, mark)| origin_text(generation, mark));
    let records = [
        Some((family_key(prefix, id), family_text(family))),
        origin.map(|text| (origin_key(prefix, id), text)),
        elsewhere.map(|generation| (grace_key(prefix, id), generation.to_string())),
    ];
    records.into_iter().flatten().collect()
}

/// From where the tokens of a family are used, by the texts of its other records. What is no such text, or is about an older
/// generation, as where an earlier version has begun the newest one, tells nothing: it can end no family.
pub(super) fn parse_places(family: &Family, origin: Option<&[u8]>, grace: Option<&[u8]>) -> Places {
    let mark = |text| {
        let (generation, mark) = parse_origin(text)?;
        (newest(family) == Some(generation)).then_some(mark)
    };
    Places { began_from: origin.and_then(mark), elsewhere: grace.and_then(parse_generation) }
}

fn newest(family: &Family) -> Option<u32> {
    match family.standing {
        FamilyStatus::Newest(generation) => Some(generation),
        FamilyStatus::Ended => None,
    }
}

/// `generation mark`
fn origin_text(generation: u32, OriginMark(mark): OriginMark) -> String {
    format!("{generation} {mark:08x}")
}

fn parse_origin(text: &[u8]) -> Option<(u32, OriginMark)> {
    let (generation, mark) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    let origin = (generation.parse().ok()?, OriginMark(u32::from_str_radix(mark, 16).ok()?));
    (origin_text(origin.0, origin.1).as_bytes() == text).then_some(origin)
}

fn parse_generation(text: &[u8]) -> Option<u32> {
    let generation: u32 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (generation.to_string().as_bytes() == text).then_some(generation)
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
    fn where_its_tokens_are_used_is_told_of_its_newest_generation_in_one_spelling() {
        let family = parse_family(b"2 100 9000").unwrap();
        let places = Places { began_from: Some(OriginMark(0xab)), elsewhere: Some(1) };
        assert_eq!(parse_places(&family, Some(b"2 000000ab"), Some(b"1")), places);
        let texts = ["2 100 9000", "2 000000ab", "1"].map(str::to_owned);
        let records = records("p/", FamilyId(7), &Family { places, ..family });
        assert_eq!(records.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), texts);
        for text in ["1 000000ab", "3 000000ab", "2 ab", "2 000000AB", "2 +00000ab", "02 000000ab", "2", "", "\u{e9}"] {
            assert_eq!(parse_places(&family, Some(text.as_bytes()), None), Places::default(), "{text:?}");
        }
        for text in ["01", "+1", "-1", " 1", "", "4294967296", "ended"] {
            assert_eq!(parse_places(&family, None, Some(text.as_bytes())), Places::default(), "{text:?}");
        }
        assert_eq!(parse_places(&family, Some(&[0xff]), Some(&[0xff])), Places::default());
    }

    #[test]
    fn keys_are_under_the_prefix() {
        assert_eq!(family_key("gateway/", FamilyId(0xabc)), "gateway/families/0000000000000abc");
        assert_eq!(origin_key("gateway/", FamilyId(0xabc)), "gateway/origins/0000000000000abc");
        assert_eq!(grace_key("gateway/", FamilyId(0xabc)), "gateway/graces/0000000000000abc");
        let token = TokenId::fresh(Entropy::new([7; 32]));
        assert_eq!(denied_key("", token), format!("denied/{token}"));
    }
}
