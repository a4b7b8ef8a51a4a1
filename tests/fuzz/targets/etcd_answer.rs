//! What etcd, or something in its place, answers: a question ends after a bounded number of calls, each of which is JSON, and a
//! refresh token never gives another generation than the next.
//!
//! An input has an answer a line: its status, a space and its body.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use token_endpoint::{
    attempts::{Counted, FailedSecret, Guess, Limits, Subject, TableKey},
    outbound::CalloutAnswer,
    state::{
        FamilyId, OnGraceFromElsewhere, OriginMark, RefreshTokenUse, Revoke, TokenId, TokenInUse, UseResult,
        etcd::{Conversation, EtcdQuestion, Next},
    },
    time::Entropy,
};

use super::fixture::{CONFIGURATION, NOW};

const MOST_CALLS: usize = 16;

pub fn read(bytes: &[u8]) {
    for (generation, from) in [(0, None), (3, None), (0, Some(OriginMark(7))), (3, Some(OriginMark(7)))] {
        let claim = RefreshTokenUse { from, ..claim(generation) };
        if let Some(UseResult::Next { generation: next, .. }) = answered(claim, bytes) {
            assert_eq!(next, generation + 1);
        }
        answered(TokenInUse::Refresh(claim), bytes);
    }
    let token = TokenId::fresh(Entropy::new([7; 32]));
    answered(TokenInUse::Access { token, issued_at: NOW }, bytes);
    answered(Revoke::Token { token, until: NOW }, bytes);
    answered(Revoke::Family { family: FamilyId(7), until: NOW }, bytes);
    let counter = counter();
    answered(FailedSecret { networks: vec![counter] }, bytes);
    let (identifier, client) = (counter, counter);
    answered(Guess { identifier, networks: Vec::new(), client, friend: None, friend_days: 30 }, bytes);
}

fn claim(generation: u32) -> RefreshTokenUse {
    let until = NOW.after(Duration::from_secs(3600));
    let (grace, from, on_elsewhere) = (Duration::from_secs(10), None, OnGraceFromElsewhere::End);
    RefreshTokenUse { family: FamilyId(7), generation, issued_at: NOW, until, grace, from, on_elsewhere }
}

fn counter() -> Counted {
    let key = TableKey::new([7; 32]).key(Subject::Client("SPA"));
    Counted { key, limit: Limits::default().client, at_once: 1 }
}

/// The answer, if these come to one.
fn answered<Q: EtcdQuestion>(question: Q, answers: &[u8]) -> Option<Q::Answer> {
    let etcd = Arc::clone(CONFIGURATION.etcd.as_ref().unwrap());
    let mut conversation = Conversation::begin(&etcd, question, NOW);
    for (calls, line) in answers.split(|byte| *byte == b'\n').enumerate() {
        assert!(calls < MOST_CALLS);
        let body = conversation.callout(NOW).body.unwrap();
        serde_json::from_slice::<Value>(body.expose()).unwrap();
        match conversation.answer(&answer(line), NOW).ok()? {
            Next::Answer(answer) => return Some(answer),
            Next::Call(next) => conversation = next,
        }
    }
    None
}

fn answer(line: &[u8]) -> CalloutAnswer {
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let status = words.next().and_then(|status| std::str::from_utf8(status).ok()?.parse().ok()).unwrap_or(200);
    CalloutAnswer { status, headers: Vec::new(), body: words.next().unwrap_or_default().to_vec() }
}
