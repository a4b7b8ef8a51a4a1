//! Guesses at passwords and secrets, as the tables see them: by keys alone.

use super::{flights::TimeSlot, friends::FriendKey, key::Key, limit::Limit};

/// What is counted, and when it is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Where.
    pub key: Key,
    /// How much is too much.
    pub limit: Limit,
    /// How many may be under way at once.
    pub at_once: u16,
}

/// A guess at a password.
#[derive(Clone, Debug)]
pub struct Guess {
    /// By the identifier: what holds strangers.
    pub identifier: Counted,
    /// By the networks that the caller's address is in. None where that is unknown, or many users'.
    pub networks: Vec<Counted>,
    /// By the client: refuses nobody.
    pub client: Counted,
    /// Who the caller may be a friend of. None where nothing tells where he is.
    pub friend: Option<Friend>,
    /// How long friends are remembered, in days.
    pub friend_days: u32,
}

/// Somebody who may be a friend.
#[derive(Clone, Debug)]
pub struct Friend {
    /// By the friend: what holds him, and nothing else does.
    pub(crate) counter: Counted,
    /// How he is known for one.
    pub(crate) proof: FriendProof,
}

/// How a friend is known for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FriendProof {
    /// The table of friends tells.
    Table(FriendKey),
    /// He has shown what he was given when he logged in.
    Token,
}

/// Whether a guess may be made.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It may, and is under way until it is settled. One that never is becomes a failure.
    Allowed(Reservation),
    /// Not before so many seconds have passed.
    Wait(u64),
}

/// A guess that is under way.
#[derive(Clone, Debug, Default)]
pub struct Reservation {
    /// Whether a friend makes it.
    pub(crate) is_friend: bool,
    /// Whether so many passwords are guessed through its client that strangers go behind friends.
    pub(crate) is_crowded: bool,
    /// When it began. None where that could not be remembered.
    pub(super) begun: Option<TimeSlot>,
}

/// What has come of a guess.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The guess.
    pub(crate) guess: Guess,
    /// That it was allowed.
    pub(crate) reservation: Reservation,
    /// What has come of it.
    pub(crate) end: End,
}

/// What has come of a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was wrong.
    Wrong {
        /// By the user whom it was about, or by the identifier where there is none: both are the same work.
        user: Counted,
    },
    /// It was right.
    Right {
        /// By the user.
        user: Counted,
    },
    /// Nobody knows: something could not be had.
    Unknown {
        /// Whether what the directory has of the user is the cause. Then it is a failure of the address: it could ask for the
        /// same user again and again.
        by_record: bool,
    },
}

/// What may be told of a guess that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// What has come of it.
    Outcome,
    /// That it was wrong, whatever has come of it.
    Wrong,
    /// That the caller has to wait so many seconds: of several guesses at once, those that end after the limit is reached learn
    /// nothing.
    Wait(u64),
}

/// A secret that was wrong. One that is right is never held, and needs no counting: it can't be guessed.
#[derive(Clone, Debug)]
pub struct FailedSecret {
    /// By the networks that the caller's address is in.
    pub networks: Vec<Counted>,
}
