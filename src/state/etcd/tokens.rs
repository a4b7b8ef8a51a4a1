//! Questions of tokens as transactions. What a refresh token says of itself is what etcd must have of its family, so that
//! the usual claim is judged before anything is read, and one call finds out whether it was judged rightly.

use super::{
    conversation::{Attempt, Reply, Verdict},
    lease::Lease,
    outcome::{Record, malformed},
    record::{denied_key, family_key, family_text, parse_family},
    transaction::{Guard, Operation, Transaction},
};
use crate::{
    outbound::Fault,
    state::{Claim, Family, Standing, StateAnswer, StateQuestion, Use},
    time::UnixTime,
};

/// What is tried first.
pub fn first(question: &StateQuestion, prefix: &str, now: UnixTime) -> Attempt {
    match question {
        StateQuestion::Claim(claim) => first_claim(claim, prefix, now),
        StateQuestion::Look(token) => {
            Attempt { transaction: Transaction::reading(looked_at(*token, prefix)), reply: None }
        }
        StateQuestion::End { family, until } => {
            let ended = family_text(&Family::ended(now, *until));
            remember(family_key(prefix, *family), ended, Lease::of(prefix, *until))
        }
        StateQuestion::Deny { token, until } => {
            remember(denied_key(prefix, *token), until.0.to_string(), Lease::of(prefix, *until))
        }
    }
}

/// What comes of what is there.
pub fn judge(
    question: &StateQuestion,
    prefix: &str,
    found: &[Option<Record>],
    now: UnixTime,
) -> Result<Verdict, Fault> {
    match (question, found) {
        (StateQuestion::Claim(claim), [found]) => judge_claim(claim, prefix, found.as_ref(), now),
        (StateQuestion::Look(Use::Refresh(claim)), [found]) => Ok(looked(claim.is_good(family(found.as_ref())?, now))),
        (StateQuestion::Look(Use::Access { .. }), [found, denied]) => {
            let has_ended = family(found.as_ref())?.is_some_and(|family| family.standing == Standing::Ended);
            Ok(looked(!has_ended && denied.is_none()))
        }
        _ => Err(malformed("not what was asked")),
    }
}

fn first_claim(claim: &Claim, prefix: &str, now: UnixTime) -> Attempt {
    let key = family_key(prefix, claim.family);
    let expected = expected(claim);
    let guard = match &expected {
        None => Guard::Revision(key.clone(), 0),
        Some(family) => Guard::Value(key.clone(), family_text(family).into_bytes()),
    };
    let (claimed, family) = claim.judge(expected, now);
    let reply = Reply::State(StateAnswer::Claimed(claimed));
    claiming(claim, prefix, guard, family.as_ref(), reply)
}

/// What is known of the family if the token is its newest.
fn expected(claim: &Claim) -> Option<Family> {
    let standing = Standing::Newest(claim.generation);
    (claim.generation > 0).then_some(Family { standing, since: claim.issued_at, until: claim.until })
}

fn judge_claim(claim: &Claim, prefix: &str, found: Option<&Record>, now: UnixTime) -> Result<Verdict, Fault> {
    let (claimed, family) = claim.judge(family(found)?, now);
    let reply = Reply::State(StateAnswer::Claimed(claimed));
    if family.is_none() {
        return Ok(Verdict::Reply(reply));
    }
    let guard = Guard::Revision(family_key(prefix, claim.family), found.map_or(0, |found| found.revision));
    Ok(Verdict::Attempt(claiming(claim, prefix, guard, family.as_ref(), reply)))
}

/// Writes what is to be remembered if nobody was quicker, and otherwise reads what they wrote.
fn claiming(claim: &Claim, prefix: &str, guard: Guard, family: Option<&Family>, reply: Reply) -> Attempt {
    let key = family_key(prefix, claim.family);
    let write = |family| write(key.clone(), family_text(family), Lease::of(prefix, claim.until));
    let then = family.map(write).into_iter().collect();
    let transaction = Transaction { guards: vec![guard], then, otherwise: vec![Operation::Read(key)] };
    Attempt { transaction, reply: Some(reply) }
}

fn looked_at(token: Use, prefix: &str) -> Vec<String> {
    match token {
        Use::Refresh(claim) => vec![family_key(prefix, claim.family)],
        Use::Access { token, .. } => vec![family_key(prefix, token.family()), denied_key(prefix, token)],
    }
}

fn remember(key: String, value: String, lease: Lease) -> Attempt {
    let then = vec![write(key, value, lease)];
    let transaction = Transaction { guards: Vec::new(), then, otherwise: Vec::new() };
    Attempt { transaction, reply: Some(Reply::State(StateAnswer::Remembered)) }
}

fn write(key: String, value: String, lease: Lease) -> Operation {
    Operation::Write(key, value.into_bytes(), Some(lease))
}

fn looked(is_good: bool) -> Verdict {
    Verdict::Reply(Reply::State(StateAnswer::Looked(is_good)))
}

fn family(found: Option<&Record>) -> Result<Option<Family>, Fault> {
    let parse = |found: &Record| parse_family(&found.value).ok_or_else(|| malformed("the record of a family"));
    found.map(parse).transpose()
}
