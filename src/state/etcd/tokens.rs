//! Questions of tokens as transactions. What a refresh token says of itself is what etcd must have of its family, so that
//! the usual claim is judged before anything is read, and one call finds out whether it was judged rightly.

use super::{
    conversation::{Attempt, EtcdQuestion, Ruling},
    lease::Lease,
    outcome::{KeyValue, malformed},
    record::{denied_key, family_key, family_text, grace_key, origin_key, parse_family, parse_places, records},
    transaction::{Guard, Operation, Transaction},
};
use crate::{
    outbound::Fault,
    state::{Family, FamilyStatus, Places, RefreshTokenUse, Revoke, TokenInUse, UseResult},
    time::UnixTime,
};

impl EtcdQuestion for RefreshTokenUse {
    type Answer = UseResult;

    fn first(&self, prefix: &str, now: UnixTime) -> Attempt<UseResult> {
        let key = family_key(prefix, self.family);
        let expected = expected(self);
        let guard = match &expected {
            None => Guard::Revision(key.clone(), 0),
            Some(family) => Guard::Value(key.clone(), family_text(family).into_bytes()),
        };
        let (claimed, family) = self.judge(expected, now);
        claiming(self, prefix, guard, (expected, family), claimed)
    }

    fn judge(&self, prefix: &str, found: &[Option<KeyValue>], now: UnixTime) -> Result<Ruling<UseResult>, Fault> {
        let [found, origin, grace] = found else { return Err(malformed("not what was asked")) };
        let text = |found: &Option<KeyValue>| found.as_ref().map(|found| found.value.clone());
        let places = |family| parse_places(&family, text(origin).as_deref(), text(grace).as_deref());
        let known = family(found.as_ref())?.map(|family| Family { places: places(family), ..family });
        let (claimed, family) = self.judge(known, now);
        if family.is_none() {
            return Ok(Ruling::Reply(claimed));
        }
        let revision = found.as_ref().map_or(0, |found| found.revision);
        let guard = Guard::Revision(family_key(prefix, self.family), revision);
        Ok(Ruling::Attempt(claiming(self, prefix, guard, (known, family), claimed)))
    }

    fn only_asks(&self) -> bool {
        false
    }
}

impl EtcdQuestion for TokenInUse {
    type Answer = bool;

    fn first(&self, prefix: &str, _: UnixTime) -> Attempt<bool> {
        let keys = match self {
            Self::Refresh(claim) => vec![family_key(prefix, claim.family)],
            Self::Access { token, .. } => vec![family_key(prefix, token.family()), denied_key(prefix, *token)],
        };
        Attempt { transaction: Transaction::reading(keys), reply: None }
    }

    fn judge(&self, _: &str, found: &[Option<KeyValue>], now: UnixTime) -> Result<Ruling<bool>, Fault> {
        match (self, found) {
            (Self::Refresh(claim), [found]) => Ok(Ruling::Reply(claim.is_good(family(found.as_ref())?, now))),
            (Self::Access { .. }, [found, denied]) => {
                let has_ended = family(found.as_ref())?.is_some_and(|family| family.standing == FamilyStatus::Ended);
                Ok(Ruling::Reply(!has_ended && denied.is_none()))
            }
            _ => Err(malformed("not what was asked")),
        }
    }

    fn only_asks(&self) -> bool {
        true
    }
}

impl EtcdQuestion for Revoke {
    type Answer = ();

    fn first(&self, prefix: &str, now: UnixTime) -> Attempt<()> {
        let (key, value, until) = match self {
            Self::Family { family, until } => {
                (family_key(prefix, *family), family_text(&Family::ended(now, *until)), until)
            }
            Self::Token { token, until } => (denied_key(prefix, *token), until.0.to_string(), until),
        };
        let then = vec![write(key, value, Lease::of(prefix, *until))];
        Attempt { transaction: Transaction { guards: Vec::new(), then, otherwise: Vec::new() }, reply: Some(()) }
    }

    fn judge(&self, _: &str, _: &[Option<KeyValue>], _: UnixTime) -> Result<Ruling<()>, Fault> {
        Err(malformed("not what was asked"))
    }

    fn only_asks(&self) -> bool {
        false
    }
}

/// What is known of the family if the token is its newest.
fn expected(claim: &RefreshTokenUse) -> Option<Family> {
    let standing = FamilyStatus::Newest(claim.generation);
    let places = Places::default();
    (claim.generation > 0).then_some(Family { standing, since: claim.issued_at, until: claim.until, places })
}

/// Writes what is to be remembered, and was not `before`, if nobody was quicker, and otherwise reads what they wrote.
fn claiming(
    claim: &RefreshTokenUse,
    prefix: &str,
    guard: Guard,
    (before, after): (Option<Family>, Option<Family>),
    claimed: UseResult,
) -> Attempt<UseResult> {
    let records = |family: Option<Family>| family.map(|family| records(prefix, claim.family, &family));
    let before = records(before).unwrap_or_default();
    let changed = records(after).into_iter().flatten().filter(|record| !before.contains(record));
    let then = changed.map(|(key, text)| write(key, text, Lease::of(prefix, claim.until))).collect();
    let keys = [family_key, origin_key, grace_key].map(|key| key(prefix, claim.family));
    let transaction = Transaction { guards: vec![guard], then, otherwise: keys.map(Operation::Read).into() };
    Attempt { transaction, reply: Some(claimed) }
}

fn write(key: String, value: String, lease: Lease) -> Operation {
    Operation::Write(key, value.into_bytes(), Some(lease))
}

fn family(found: Option<&KeyValue>) -> Result<Option<Family>, Fault> {
    let parse = |found: &KeyValue| parse_family(&found.value).ok_or_else(|| malformed("the record of a family"));
    found.map(parse).transpose()
}
