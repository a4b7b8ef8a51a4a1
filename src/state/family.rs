//! Refresh token rotation with reuse detection (RFC 9700 §4.14.2): each use gives a token of the next generation. An old
//! one that comes again soon is a lost answer or a second tab; one that comes later, or soon and from elsewhere each time, is
//! in two hands, and ends them all.

use std::time::Duration;

use super::{
    FamilyId, TokenId,
    places::{OnGraceFromElsewhere, OriginMark, Places},
};
use crate::time::UnixTime;

/// What is remembered of a family. Nothing is as long as its first token was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// How it stands.
    pub(crate) standing: FamilyStatus,
    /// Since when.
    pub(crate) since: UnixTime,
    /// When its last token ends by itself, so that it can be forgotten.
    pub(crate) until: UnixTime,
    /// From where its tokens are used.
    pub(crate) places: Places,
}

/// How a family stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyStatus {
    /// Tokens of this generation are the newest.
    Newest(u32),
    /// It was revoked, or given up after a theft.
    Ended,
}

/// A refresh token that is being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshTokenUse {
    /// Its family.
    pub family: FamilyId,
    /// Its generation: zero for the token of a login.
    pub generation: u32,
    /// When its generation began.
    pub issued_at: UnixTime,
    /// When its family ends by itself.
    pub until: UnixTime,
    /// For how long a token that was used may come again.
    pub grace: Duration,
    /// From where it is used, if that is known.
    pub from: Option<OriginMark>,
    /// What happens when that was elsewhere twice in a row.
    pub on_elsewhere: OnGraceFromElsewhere,
}

/// What comes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseResult {
    /// The next token is of this generation.
    Next {
        /// Its number.
        generation: u32,
        /// When it began: now, or a little earlier where another claim of the same token was first.
        since: UnixTime,
        /// Whether this is the second grace in a row that was used from elsewhere.
        is_shared: bool,
    },
    /// The family has ended, now or before.
    Ended {
        /// Whether that ends it now.
        is_shared: bool,
    },
}

/// A token of which one wants to know whether it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenInUse {
    /// A refresh token.
    Refresh(RefreshTokenUse),
    /// An access token.
    Access {
        /// Which one.
        token: TokenId,
        /// Its `iat`.
        issued_at: UnixTime,
    },
}

/// What has ended, and is to be remembered as ended until it would have ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoke {
    /// All tokens of a family (RFC 7009 §2.1, RFC 9700 §4.14.2).
    Family {
        /// Which family.
        family: FamilyId,
        /// When its last token would have ended by itself.
        until: UnixTime,
    },
    /// One access token (RFC 7009 §2.1).
    Token {
        /// Which token.
        token: TokenId,
        /// When it would have ended by itself.
        until: UnixTime,
    },
}

/// How far the clocks of two proxies may be apart.
const SKEW: Duration = Duration::from_secs(60);

impl RefreshTokenUse {
    /// What comes of it, and what is to be remembered of the family where that is not what is `known`.
    ///
    /// A family of which less is known than the token says was forgotten, or was served elsewhere: it goes on from the
    /// token.
    pub(crate) fn judge(&self, known: Option<Family>, now: UnixTime) -> (UseResult, Option<Family>) {
        match known {
            Some(Family { standing: FamilyStatus::Ended, .. }) => (UseResult::Ended { is_shared: false }, None),
            Some(family @ Family { standing: FamilyStatus::Newest(newest), since, .. }) if newest > self.generation => {
                if self.may_come_again(newest, since, now) {
                    self.judge_again(newest, family, now)
                } else {
                    self.end(now, false)
                }
            }
            _ => {
                let generation = self.generation.saturating_add(1);
                let places = known.map(|family| family.places).unwrap_or_default().begun(self.from);
                let family =
                    Family { standing: FamilyStatus::Newest(generation), since: now, until: self.until, places };
                (UseResult::Next { generation, since: now, is_shared: false }, Some(family))
            }
        }
    }

    /// What comes of it within the grace.
    fn judge_again(&self, newest: u32, family: Family, now: UnixTime) -> (UseResult, Option<Family>) {
        let places = family.places.used_again(newest, self.from);
        let is_shared = family.places.is_repeated_by(places);
        if is_shared && self.on_elsewhere == OnGraceFromElsewhere::End {
            return self.end(now, true);
        }
        let after = (places != family.places).then_some(Family { places, ..family });
        (UseResult::Next { generation: newest, since: family.since, is_shared }, after)
    }

    fn end(&self, now: UnixTime, is_shared: bool) -> (UseResult, Option<Family>) {
        (UseResult::Ended { is_shared }, Some(Family::ended(now, self.until)))
    }

    /// Whether it could be used, by what is `known`, wherever that is asked from.
    pub(crate) fn is_good(&self, known: Option<Family>, now: UnixTime) -> bool {
        matches!(Self { from: None, ..*self }.judge(known, now), (UseResult::Next { .. }, _))
    }

    /// A use that lies ahead of now was no moment ago: the clock was put back meanwhile.
    fn may_come_again(&self, newest: u32, since: UnixTime, now: UnixTime) -> bool {
        let is_soon = now <= since.after(self.grace) && since <= now.after(self.grace).after(SKEW);
        newest == self.generation.saturating_add(1) && is_soon
    }
}

impl Family {
    /// A family that has ended.
    pub(crate) fn ended(now: UnixTime, until: UnixTime) -> Self {
        Self { standing: FamilyStatus::Ended, since: now, until, places: Places::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: UnixTime = UnixTime(9_000);
    const ENDED: UseResult = UseResult::Ended { is_shared: false };

    fn claim(generation: u32) -> RefreshTokenUse {
        RefreshTokenUse {
            family: FamilyId(1),
            generation,
            issued_at: UnixTime(0),
            until: UNTIL,
            grace: Duration::from_secs(10),
            from: None,
            on_elsewhere: OnGraceFromElsewhere::End,
        }
    }

    fn newest(generation: u32, since: u64) -> Option<Family> {
        let (standing, since) = (FamilyStatus::Newest(generation), UnixTime(since));
        Some(Family { standing, since, until: UNTIL, places: Places::default() })
    }

    fn next(generation: u32, since: u64) -> UseResult {
        UseResult::Next { generation, since: UnixTime(since), is_shared: false }
    }

    #[test]
    fn the_newest_token_begins_the_next_generation() {
        assert_eq!(claim(0).judge(None, UnixTime(100)), (next(1, 100), newest(1, 100)));
        assert_eq!(claim(1).judge(newest(1, 100), UnixTime(200)), (next(2, 200), newest(2, 200)));
    }

    #[test]
    fn the_token_before_it_comes_to_the_same_generation_while_the_grace_lasts() {
        assert_eq!(claim(1).judge(newest(2, 100), UnixTime(110)), (next(2, 100), None));
        let ended = Some(Family::ended(UnixTime(111), UNTIL));
        assert_eq!(claim(1).judge(newest(2, 100), UnixTime(111)), (ENDED, ended));
    }

    #[test]
    fn a_clock_that_is_put_back_does_not_prolong_the_grace() {
        assert_eq!(
            claim(1).judge(newest(2, 1000), UnixTime(930)),
            (next(2, 1000), None),
            "a proxy that is a little behind"
        );
        assert_eq!(claim(1).judge(newest(2, 1000), UnixTime(900)).0, ENDED);
    }

    #[test]
    fn one_that_is_older_still_is_theft_at_once() {
        assert_eq!(claim(0).judge(newest(2, 100), UnixTime(100)).0, ENDED);
    }

    #[test]
    fn no_token_of_an_ended_family_is_good() {
        for generation in 0..4 {
            let ended = Some(Family::ended(UnixTime(100), UNTIL));
            assert_eq!(claim(generation).judge(ended, UnixTime(100)), (ENDED, None));
        }
    }

    #[test]
    fn a_family_that_was_forgotten_goes_on_from_its_token() {
        assert_eq!(claim(7).judge(None, UnixTime(100)), (next(8, 100), newest(8, 100)));
        assert_eq!(claim(7).judge(newest(3, 50), UnixTime(100)), (next(8, 100), newest(8, 100)));
    }

    const HOME: Option<OriginMark> = Some(OriginMark(1));
    const THIEF: Option<OriginMark> = Some(OriginMark(2));
    const OTHER: Option<OriginMark> = Some(OriginMark(3));

    /// Uses a family's tokens one after the other, a second apart: which generation's, and from where. None once it has ended.
    fn uses(on_elsewhere: OnGraceFromElsewhere, uses: &[(u32, Option<OriginMark>)]) -> Vec<(Option<u32>, bool)> {
        let mut known = None;
        let mut results = Vec::new();
        for ((generation, from), now) in uses.iter().zip(100..) {
            let claim = RefreshTokenUse { from: *from, on_elsewhere, ..claim(*generation) };
            let (result, after) = claim.judge(known, UnixTime(now));
            known = after.or(known);
            results.push(match result {
                UseResult::Next { generation, is_shared, .. } => (Some(generation), is_shared),
                UseResult::Ended { is_shared } => (None, is_shared),
            });
        }
        results
    }

    fn are_never_hit(at: &[(u32, Option<OriginMark>)]) {
        let generations = at.iter().map(|(generation, _)| (Some(generation + 1), false));
        assert_eq!(uses(OnGraceFromElsewhere::End, at), generations.collect::<Vec<_>>());
    }

    #[test]
    fn whoever_is_in_two_graces_in_a_row_from_elsewhere_ends_the_family() {
        let first = [(Some(1), false), (Some(1), false), (Some(2), false)];
        for at in [[HOME, THIEF, HOME, THIEF], [THIEF, HOME, HOME, THIEF], [HOME, THIEF, THIEF, OTHER]] {
            let steps: Vec<_> = [0, 0, 1, 1, 2].into_iter().zip([at.as_slice(), &[HOME]].concat()).collect();
            let ended = [(None, true), (None, false)];
            assert_eq!(uses(OnGraceFromElsewhere::End, &steps), [first.as_slice(), &ended].concat(), "{at:?}");
        }
    }

    #[test]
    fn where_it_is_only_told_it_is_told_once_for_each_generation_and_the_family_goes_on() {
        let steps = [(0, HOME), (0, THIEF), (1, HOME), (1, THIEF), (1, OTHER), (2, HOME), (2, THIEF)];
        let shared: Vec<_> = uses(OnGraceFromElsewhere::Tell, &steps).into_iter().map(|(_, shared)| shared).collect();
        assert_eq!(shared, [false, false, false, true, false, false, true]);
    }

    #[test]
    fn whoever_roams_once_or_now_and_then_is_never_hit() {
        are_never_hit(&[(0, HOME), (0, OTHER), (1, OTHER), (1, OTHER), (2, HOME), (2, OTHER)]);
        are_never_hit(&[(0, HOME), (0, OTHER), (0, OTHER), (0, HOME), (1, OTHER), (2, HOME)]);
        are_never_hit(&[(0, HOME), (0, OTHER), (1, HOME), (2, HOME), (2, OTHER)]);
    }

    #[test]
    fn two_tabs_at_one_address_and_who_tells_none_are_never_hit() {
        for from in [HOME, None] {
            are_never_hit(&[(0, from), (0, from), (1, from), (1, from), (2, from), (2, from)]);
        }
        are_never_hit(&[(0, HOME), (0, None), (1, None), (1, HOME), (2, HOME), (2, None)]);
    }

    #[test]
    fn a_look_from_elsewhere_finds_a_token_good_that_a_use_would_end() {
        let places = Places { began_from: HOME, elsewhere: Some(1) };
        let known = newest(2, 100).map(|family| Family { places, ..family });
        let claim = RefreshTokenUse { from: THIEF, ..claim(1) };
        assert!(claim.is_good(known, UnixTime(101)));
        assert_eq!(claim.judge(known, UnixTime(101)).0, UseResult::Ended { is_shared: true });
    }
}
