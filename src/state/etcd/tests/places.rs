//! What etcd is told of where a family's tokens are used, and what it costs.

use super::*;

fn from(place: u32, claim: RefreshTokenUse) -> RefreshTokenUse {
    RefreshTokenUse { from: Some(OriginMark(place)), ..claim }
}

const HOME: u32 = 0xa;
const THIEF: u32 = 0xb;

/// A victim's refresh at this time, of a token that was issued then, and a thief's four seconds later.
fn shadowed(fake: &mut Fake, generation: u32, issued_at: u64, now: u64) -> [UseResult; 2] {
    let claim = claim(generation, issued_at);
    [(HOME, now), (THIEF, now + 4)].map(|(place, now)| told(fake, from(place, claim), now))
}

#[test]
fn a_thief_who_is_in_two_graces_in_a_row_ends_the_family() {
    let mut fake = Fake::default();
    assert_eq!(shadowed(&mut fake, 0, 5, 100), [next(1, 100), next(1, 100)]);
    assert_eq!(shadowed(&mut fake, 1, 100, 200), [next(2, 200), UseResult::Ended { is_shared: true }]);
    assert_eq!(told(&mut fake, from(HOME, claim(2, 200)), 300), ENDED);
    let texts: Vec<_> = fake.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, [format!("ended 204 {}", UNTIL.0), "1".to_owned(), "2 0000000a".to_owned()]);
}

#[test]
fn from_where_it_is_used_costs_no_call_but_one_to_remember_that_it_was_elsewhere() {
    let mut fake = Fake::default();
    told(&mut fake, from(HOME, claim(0, 5)), 100);
    let mut calls_of = |place, claim, now| calls(&mut fake, |fake| _ = told(fake, from(place, claim), now));
    assert_eq!(calls_of(HOME, claim(1, 100), 200), 1, "the usual refresh");
    assert_eq!(calls_of(HOME, claim(1, 100), 204), 1, "its grace");
    assert_eq!(calls_of(THIEF, claim(1, 100), 204), 2, "its grace from elsewhere");
    assert_eq!(calls_of(THIEF, claim(1, 100), 205), 1, "which is remembered");
    assert_eq!(calls_of(HOME, claim(2, 200), 300), 1, "the next refresh");
}

#[test]
fn what_an_earlier_version_began_or_nobody_can_read_ends_no_family() {
    let [family, origin, grace] = ["families", "origins", "graces"].map(|kind| format!("p/{kind}/0000000000000007"));
    let mut fake = Fake::default();
    shadowed(&mut fake, 0, 5, 100);
    fake.put(&family, &format!("2 200 {}", UNTIL.0));
    assert_eq!(told(&mut fake, from(THIEF, claim(1, 100)), 204), next(2, 200), "begun by an earlier version");
    let ended = UseResult::Ended { is_shared: true };
    for (key, text, expected) in [
        (&grace, "3", ended),
        (&grace, "\u{e9}", next(4, 300)),
        (&grace, "03", next(4, 300)),
        (&origin, "3 0000000a", next(4, 300)),
        (&origin, "4 a", next(4, 300)),
        (&origin, "", next(4, 300)),
    ] {
        let mut fake = Fake::default();
        shadowed(&mut fake, 0, 5, 100);
        shadowed(&mut fake, 2, 250, 260);
        told(&mut fake, from(HOME, claim(3, 260)), 300);
        fake.put(key, text);
        assert_eq!(told(&mut fake, from(THIEF, claim(3, 260)), 304), expected, "{key} {text:?}");
    }
}

#[test]
fn an_earlier_version_reads_and_replaces_what_this_one_wrote_of_a_family() {
    let mut fake = Fake::default();
    shadowed(&mut fake, 0, 5, 100);
    assert_eq!(fake.texts()[0].1, format!("1 100 {}", UNTIL.0), "as it would have written it");
}

#[test]
fn a_call_that_is_lost_and_made_again_is_from_where_it_was() {
    let mut fake = Fake::default();
    for (generation, now) in (0..4).zip(100..) {
        let claim = from(HOME, claim(generation, now - 1));
        fake.answer(&Conversation::begin(&etcd(), claim, UnixTime(now)).callout(UnixTime(now)));
        assert_eq!(told(&mut fake, claim, now), next(generation + 1, now));
    }
    assert!(fake.texts().iter().all(|(key, _)| !key.contains("graces")));
}
