//! What is remembered between requests: which refresh token of a family is the newest, and which families and tokens
//! have ended. The rules are here; where the memory is, is not.

mod bucket;
pub mod etcd;
mod family;
mod id;

pub use self::{
    bucket::{Bucket, InvalidBucket, Place},
    family::{Claim, Claimed, Family, Standing, Use},
    id::{FamilyId, TokenId},
};
use crate::time::UnixTime;

/// A question to the memory, or something to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateQuestion {
    /// May this refresh token be used, and which generation follows it? Of many that claim at once, one begins the next
    /// generation.
    Claim(Claim),
    /// Is this token good still?
    Look(Use),
    /// All tokens of a family have ended (RFC 7009 §2.1, RFC 9700 §4.14.2).
    End {
        /// Which family.
        family: FamilyId,
        /// When its last token would have ended by itself, so that this can be forgotten.
        until: UnixTime,
    },
    /// One access token has ended (RFC 7009 §2.1).
    Deny {
        /// Which token.
        token: TokenId,
        /// When it would have ended by itself, so that this can be forgotten.
        until: UnixTime,
    },
}

/// The memory's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateAnswer {
    /// To [`StateQuestion::Claim`].
    Claimed(Claimed),
    /// To [`StateQuestion::Look`]: whether it is good.
    Looked(bool),
    /// To the others: it is.
    Remembered,
}
