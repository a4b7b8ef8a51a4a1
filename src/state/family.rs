//! Refresh token rotation with reuse detection (RFC 9700 §4.14.2): each use gives a token of the next generation. An old
//! one that comes again soon is a lost answer or a second tab; one that comes later is in two hands, and ends them all.

use std::time::Duration;

use super::{FamilyId, TokenId};
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
    },
    /// The family has ended, now or before.
    Ended,
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
            Some(Family { standing: FamilyStatus::Ended, .. }) => (UseResult::Ended, None),
            Some(Family { standing: FamilyStatus::Newest(newest), since, .. }) if newest > self.generation => {
                if self.may_come_again(newest, since, now) {
                    (UseResult::Next { generation: newest, since }, None)
                } else {
                    (UseResult::Ended, Some(Family::ended(now, self.until)))
                }
            }
            _ => {
                let generation = self.generation.saturating_add(1);
                let family = Family { standing: FamilyStatus::Newest(generation), since: now, until: self.until };
                (UseResult::Next { generation, since: now }, Some(family))
            }
        }
    }

    /// Whether it could be used, by what is `known`.
    pub(crate) fn is_good(&self, known: Option<Family>, now: UnixTime) -> bool {
        matches!(self.judge(known, now), (UseResult::Next { .. }, _))
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
        Self { standing: FamilyStatus::Ended, since: now, until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: UnixTime = UnixTime(9_000);

    fn claim(generation: u32) -> RefreshTokenUse {
        let family = FamilyId(1);
        RefreshTokenUse { family, generation, issued_at: UnixTime(0), until: UNTIL, grace: Duration::from_secs(10) }
    }

    fn newest(generation: u32, since: u64) -> Option<Family> {
        Some(Family { standing: FamilyStatus::Newest(generation), since: UnixTime(since), until: UNTIL })
    }

    fn next(generation: u32, since: u64) -> UseResult {
        UseResult::Next { generation, since: UnixTime(since) }
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
        assert_eq!(claim(1).judge(newest(2, 100), UnixTime(111)), (UseResult::Ended, ended));
    }

    #[test]
    fn a_clock_that_is_put_back_does_not_prolong_the_grace() {
        assert_eq!(
            claim(1).judge(newest(2, 1000), UnixTime(930)),
            (next(2, 1000), None),
            "a proxy that is a little behind"
        );
        assert_eq!(claim(1).judge(newest(2, 1000), UnixTime(900)).0, UseResult::Ended);
    }

    #[test]
    fn one_that_is_older_still_is_theft_at_once() {
        assert_eq!(claim(0).judge(newest(2, 100), UnixTime(100)).0, UseResult::Ended);
    }

    #[test]
    fn no_token_of_an_ended_family_is_good() {
        for generation in 0..4 {
            let ended = Some(Family::ended(UnixTime(100), UNTIL));
            assert_eq!(claim(generation).judge(ended, UnixTime(100)), (UseResult::Ended, None));
        }
    }

    #[test]
    fn a_family_that_was_forgotten_goes_on_from_its_token() {
        assert_eq!(claim(7).judge(None, UnixTime(100)), (next(8, 100), newest(8, 100)));
        assert_eq!(claim(7).judge(newest(3, 50), UnixTime(100)), (next(8, 100), newest(8, 100)));
    }
}
