//! Guesses, as the attempt limits see them: who made one, against what, and what came of it.

use std::sync::Arc;

use crate::{
    attempts::{self, Counted, Friend, FriendProof, Limit, Limits, Reservation, Subject, TableKey, Whereabouts, Who},
    origin::Origin,
    registry::{
        auth_source::{AuthSource, Directory},
        identifier::Identifier,
    },
    state::FamilyId,
};

/// A guess at a user's password.
#[derive(Clone, Debug)]
pub struct PasswordGuess {
    /// Where it came from. None where a client that has proven itself doesn't say: many users' guesses come from its address.
    pub(crate) origin: Option<Origin>,
    /// The family of a token that the caller was given when this very user logged in.
    pub(crate) device: Option<FamilyId>,
    /// The client that it came through.
    pub(crate) client_id: String,
    /// The user's directory.
    pub(crate) auth_source: Arc<AuthSource>,
    /// The user.
    pub(crate) identifier: Identifier,
    /// Whom the identifier names, where that is known before a directory is asked.
    pub(crate) user_id: Option<String>,
}

/// A guess that is over.
#[derive(Clone, Debug)]
pub struct PasswordSettlement {
    /// The guess.
    pub(crate) guess: PasswordGuess,
    /// That it was allowed.
    pub(crate) reservation: Reservation,
    /// The user whom it was about, if there is one.
    pub(crate) user_id: Option<String>,
    /// What has come of it.
    pub(crate) end: GuessResult,
}

/// What has come of a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GuessResult {
    /// It was wrong.
    Wrong,
    /// It was right.
    Right,
    /// Nobody knows: something could not be had.
    Unknown {
        /// Whether what the directory has of the user is the cause.
        by_record: bool,
    },
}

/// A client's secret that was wrong.
#[derive(Clone, Copy, Debug)]
pub struct WrongSecret {
    /// Where it came from.
    pub(crate) origin: Origin,
}

/// How many guesses at one name may be under way at once. Of more than are free, those that end too late learn nothing; but
/// programs log in again and again with one name.
const AT_ONCE: u16 = 100;
/// The same where the directory is asked about each, and may lock the user out by itself.
const ASKED_AT_ONCE: u16 = 10;

/// The places of guesses in tables with this key.
#[derive(Clone, Copy)]
pub struct Counters<'a> {
    /// The key.
    pub key: &'a TableKey,
    /// How much is too much.
    pub limits: &'a Limits,
}

impl Counters<'_> {
    /// A guess that is about to be made.
    pub fn guess(&self, guess: &PasswordGuess) -> attempts::Guess {
        let PasswordGuess { auth_source, identifier, client_id, .. } = guess;
        let subject = Subject::Identifier { auth_source_id: &auth_source.id, identifier };
        attempts::Guess {
            identifier: self.counter(subject, self.limits.identifier, guess.at_once()),
            networks: guess.origin.map(|origin| self.networks(origin)).unwrap_or_default(),
            client: self.counter(Subject::Client(client_id), self.limits.client, u16::MAX),
            friend: self.friend(guess),
            friend_days: self.limits.friend_days,
        }
    }

    /// A guess that is over.
    pub fn settlement(&self, settlement: &PasswordSettlement) -> attempts::Settlement {
        let guess = &settlement.guess;
        let who = guess.who(settlement.user_id.as_deref());
        let subject = Subject::User { auth_source_id: &guess.auth_source.id, who };
        let user = self.counter(subject, self.limits.user, u16::MAX);
        attempts::Settlement {
            guess: self.guess(guess),
            reservation: settlement.reservation.clone(),
            end: match settlement.end {
                GuessResult::Wrong => attempts::End::Wrong { user },
                GuessResult::Right => attempts::End::Right { user },
                GuessResult::Unknown { by_record } => attempts::End::Unknown { by_record },
            },
        }
    }

    /// A secret that was wrong.
    pub fn wrong_secret(&self, wrong: WrongSecret) -> attempts::FailedSecret {
        attempts::FailedSecret { networks: self.networks(wrong.origin) }
    }

    fn friend(&self, guess: &PasswordGuess) -> Option<Friend> {
        let address = guess.origin.map(|origin| origin.to_string());
        let device = guess.device.map(|FamilyId(family)| family);
        let whereabouts = match device {
            Some(family) => Whereabouts::Device(family),
            None => Whereabouts::Address(address.as_deref()?),
        };
        let who = guess.who(guess.user_id.as_deref());
        let key = self.key.friend(&guess.auth_source.id, who, &guess.client_id, whereabouts);
        let proof = if device.is_some() { FriendProof::Token } else { FriendProof::Table(key) };
        Some(Friend { counter: self.counter(Subject::Friend(key), self.limits.friend, guess.at_once()), proof })
    }

    fn networks(&self, origin: Origin) -> Vec<Counted> {
        let networks = origin.networks();
        networks
            .map(|(network, many)| self.counter(Subject::Network(network), self.limits.address.times(many), u16::MAX))
            .collect()
    }

    fn counter(&self, subject: Subject, limit: Limit, at_once: u16) -> Counted {
        Counted { key: self.key.key(subject), limit, at_once }
    }
}

impl PasswordGuess {
    fn at_once(&self) -> u16 {
        match self.auth_source.directory {
            Directory::Verify(_) => ASKED_AT_ONCE,
            Directory::Users(_) | Directory::Lookup(_) | Directory::Snapshot(_) => AT_ONCE,
        }
    }

    fn who<'a>(&'a self, user_id: Option<&'a str>) -> Who<'a> {
        user_id.map_or(Who::Typed(&self.identifier.value), Who::Id)
    }
}
