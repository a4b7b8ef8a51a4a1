//! Why a directory could not be asked, in words for the operator's log, with nothing of what it was asked or answered.

use std::fmt;

/// What went wrong with a directory.
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
    /// There are as many calls under way as may be.
    Busy,
    /// It failed too often and is left alone for a while.
    Open,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => f.write_str("no answer"),
            Self::TooLarge(limit) => write!(f, "an answer of more than {limit} bytes"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Malformed(what) => write!(f, "an answer that can't be used: {what}"),
            Self::Busy => f.write_str("too many calls under way"),
            Self::Open => f.write_str("left alone after repeated failure"),
        }
    }
}
