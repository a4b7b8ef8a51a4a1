//! Why an upstream could not be asked, in words for the operator's log, with nothing of what it was asked or answered.

use std::fmt;

/// What went wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer: refused, reset, timed out, or no such cluster.
    NoAnswer,
    /// The answer is longer than the limit, in bytes.
    TooLarge(usize),
    /// A status that means nothing here.
    Status(u16),
    /// The body can't be read, and where in it the trouble is.
    Malformed(String),
    /// The directory is well, but what it has of this one user can't be used, and where in it the trouble is.
    Record(String),
    /// There are as many calls under way as may be.
    Busy,
    /// It failed too often and is left alone for a while.
    Open,
    /// What was to be changed there was changed by others, again and again.
    Contended,
}

impl Fault {
    /// Whether the upstream is to blame, so that it should be left alone after several of these in a row.
    ///
    /// What one caller's words or one user's record bring about must not count: it would let anyone shut an upstream
    /// for all by sending a name that it refuses to read.
    pub(crate) fn counts_for_circuit(&self) -> bool {
        match self {
            Self::NoAnswer | Self::TooLarge(_) | Self::Malformed(_) => true,
            Self::Status(status) => !is_about_the_request(*status),
            Self::Record(_) | Self::Busy | Self::Open | Self::Contended => false,
        }
    }
}

/// Bad request, forbidden (a firewall that dislikes a name), not found, conflict, too long, unprocessable and the like.
fn is_about_the_request(status: u16) -> bool {
    matches!(status, 400 | 403..=406 | 409 | 410 | 412..=414 | 422 | 431 | 451)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => f.write_str("no answer"),
            Self::TooLarge(limit) => write!(f, "an answer of more than {limit} bytes"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Malformed(what) => write!(f, "an answer that can't be used: {what}"),
            Self::Record(what) => write!(f, "a user's record that can't be used: {what}"),
            Self::Busy => f.write_str("too many calls under way"),
            Self::Open => f.write_str("left alone after repeated failure"),
            Self::Contended => f.write_str("others changed the same again and again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_shuts_a_directory_by_what_they_ask_for() {
        let theirs = [Fault::Status(400), Fault::Status(414), Fault::Record(String::new()), Fault::Busy, Fault::Open];
        assert!(!theirs.iter().any(Fault::counts_for_circuit));
        let its_own = [Fault::NoAnswer, Fault::Status(500), Fault::Status(302), Fault::TooLarge(1)];
        assert!(its_own.iter().all(Fault::counts_for_circuit));
    }
}
