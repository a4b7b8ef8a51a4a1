//! Guesses, as the attempt limits see them: who made one, against what, and what came of it.

use std::sync::Arc;

use crate::{
    attempts::{Change, Counting, Key, Limit, Limits, Subject, TableKey},
    origin::Origin,
    registry::{auth_source::AuthSource, identifier::Identifier},
};

/// Something to tell the attempt limits, or to ask them.
///
/// While any of its subjects has to wait, the answer is [`Answer::Limited`](super::Answer::Limited) and nothing is
/// counted, whatever the turn: of several guesses made at once, those that end after the limit is reached learn
/// nothing.
#[derive(Debug)]
pub struct Attempt {
    /// What has happened.
    pub turn: Turn,
    /// Who made the guess, and against what.
    pub guess: Guess,
}

/// What has happened to a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is about to be looked at.
    Begins,
    /// It was wrong: a failure of all its subjects.
    Failed,
    /// It was right: the identifier's failures are forgotten. Those of the address and the client are not, or anyone
    /// with one good password could make as many guesses at others as he likes.
    Succeeded,
}

/// A guess at a client's secret, or at a password.
#[derive(Clone, Debug)]
pub struct Guess {
    /// Where it came from.
    pub origin: Origin,
    /// What was guessed.
    pub target: Target,
}

/// What a guess is aimed at.
#[derive(Clone, Debug)]
pub enum Target {
    /// A client that has no secret, or is none: there is nothing to find out.
    Nothing,
    /// The secret of the client with this id.
    Secret(String),
    /// A user's password.
    Password {
        /// The client that it came through.
        client_id: String,
        /// The user's directory.
        auth_source: Arc<AuthSource>,
        /// The user.
        identifier: Identifier,
    },
}

impl Attempt {
    /// What is to be counted, in a table with this key.
    pub fn counting(&self, key: &TableKey, limits: &Limits) -> Counting {
        let success = || self.guess.identifier().map_or(Change::Nothing, |subject| Change::Success(key.key(subject)));
        let change = match self.turn {
            Turn::Begins => Change::Nothing,
            Turn::Failed => Change::Failure,
            Turn::Succeeded => success(),
        };
        let place = |subject| -> (Key, Limit) { (key.key(subject), *limits.of(subject)) };
        Counting { subjects: self.guess.subjects().map(place).collect(), change }
    }
}

impl Guess {
    /// What its failures are counted by.
    pub fn subjects(&self) -> impl Iterator<Item = Subject<'_>> {
        let client = match &self.target {
            Target::Nothing => None,
            Target::Secret(client_id) => Some(Subject::ClientSecret(client_id)),
            Target::Password { client_id, .. } => Some(Subject::Client(client_id)),
        };
        [Subject::Address(&self.origin)].into_iter().chain(client).chain(self.identifier())
    }

    /// What a success makes forgotten.
    pub fn identifier(&self) -> Option<Subject<'_>> {
        match &self.target {
            Target::Nothing | Target::Secret(_) => None,
            Target::Password { auth_source, identifier, .. } => {
                Some(Subject::Identifier { auth_source_id: &auth_source.id, identifier })
            }
        }
    }
}
