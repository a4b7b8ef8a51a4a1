//! How a document comes: in parts where the server has ranges (RFC 9110 §14), since a worker can copy a part in no time; whole where
//! it has none.

use super::content_range::ContentRange;
use crate::outbound::Fault;

/// A document on its way: what is asked for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The `ETag` of the last document.
    known: Option<String>,
    wanted: Wanted,
    restarts: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// The first part, which is all of a small document.
    Start,
    /// A further part of a document.
    More(Begun),
    /// All of it at once.
    Whole,
}

/// A document of which the first bytes are here.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Begun {
    etag: String,
    at: usize,
    total: usize,
}

/// What matters of an answer's head, and the length of its body in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerHead {
    /// `:status`; zero if there is no answer.
    pub status: u16,
    /// `etag`
    pub etag: Option<String>,
    /// `content-range`
    pub content_range: Option<String>,
    /// The length of the body.
    pub length: usize,
}

/// What an answer brings.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing: the document is still the one of the `ETag` that was sent.
    Unchanged,
    /// The bytes from here on, to which the document's end belongs.
    Last {
        /// Where in the document the body begins.
        start: usize,
        /// The document's `ETag`.
        etag: Option<String>,
    },
    /// The bytes from here on, and what to ask for after them.
    Part {
        /// Where in the document the body begins.
        start: usize,
        /// The rest.
        rest: Fetch,
    },
    /// Nothing that can be used: to be asked for in another way.
    Again(Fetch),
}

/// The most bytes that are asked for at once. A smaller document is one request.
pub const PART: usize = 1024 * 1024;
/// How often a document that changes on its way is begun anew in parts. A cluster may have two servers that agree on
/// no `ETag`, so after that it is asked for as a whole.
const RESTARTS: u32 = 2;
/// A longer `ETag` is not worth keeping.
const LONGEST_ETAG: usize = 1024;

impl Fetch {
    /// A fetch of the document, if it is no longer the one with this `ETag`.
    pub fn new(known: Option<String>) -> Self {
        Self { known, wanted: Wanted::Start, restarts: 0 }
    }

    /// The headers to send for it. A part that must be of the same document has `If-Match` and not `If-Range`, for to
    /// the latter a changed document is sent whole.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let known = self.known.clone().map(|etag| ("if-none-match", etag));
        match &self.wanted {
            Wanted::Start => known.into_iter().chain([("range", range_from(0))]).collect(),
            Wanted::More(begun) => vec![("if-match", begun.etag.clone()), ("range", range_from(begun.at))],
            Wanted::Whole => known.into_iter().collect(),
        }
    }

    /// Takes the answer: 304 is one only to who sent an `ETag`, 206 to who asked for a part.
    ///
    /// # Errors
    /// It can't be used, or the document is longer than `limit` bytes.
    pub fn receive(self, head: AnswerHead, limit: usize) -> Result<Delivery, Fault> {
        match (head.status, &self.wanted) {
            (0, _) => Err(Fault::NoAnswer),
            (200, _) if head.length > limit => Err(Fault::TooLarge(limit)),
            (200, _) => Ok(Delivery::Last { start: 0, etag: kept(head.etag) }),
            (206, Wanted::Start | Wanted::More(_)) => self.receive_part(head, limit),
            (304, Wanted::Start | Wanted::Whole) if self.known.is_some() => Ok(Delivery::Unchanged),
            (412 | 416, Wanted::More(_)) => Ok(self.start_over()),
            (416, Wanted::Start) => Ok(self.take_whole()),
            (status, _) => Err(Fault::Status(status)),
        }
    }

    fn receive_part(self, head: AnswerHead, limit: usize) -> Result<Delivery, Fault> {
        let range = head.content_range.as_deref().and_then(ContentRange::parse).ok_or_else(not_what_was_asked)?;
        let is_asked = range.first == self.wanted.start() && range.length() <= PART;
        if !is_asked || range.length() != head.length {
            return Err(not_what_was_asked());
        }
        match range.total {
            Some(total) if total > limit => Err(Fault::TooLarge(limit)),
            Some(total) => self.receive_range(range, total, kept(head.etag)),
            None => Ok(self.take_whole()),
        }
    }

    fn receive_range(self, range: ContentRange, total: usize, etag: Option<String>) -> Result<Delivery, Fault> {
        if let Wanted::More(begun) = &self.wanted {
            if etag.as_ref() != Some(&begun.etag) {
                return Ok(self.start_over());
            }
            if total != begun.total {
                return Err(not_what_was_asked());
            }
        }
        let (start, at) = (range.first, range.last.saturating_add(1));
        Ok(match etag {
            etag if at == total => Delivery::Last { start, etag },
            Some(etag) if range.length() == PART && is_strong(&etag) => {
                let wanted = Wanted::More(Begun { etag, at, total });
                Delivery::Part { start, rest: Self { wanted, ..self } }
            }
            _ => self.take_whole(),
        })
    }

    fn start_over(self) -> Delivery {
        if self.restarts >= RESTARTS {
            return self.take_whole();
        }
        Delivery::Again(Self { wanted: Wanted::Start, restarts: self.restarts + 1, ..self })
    }

    fn take_whole(self) -> Delivery {
        Delivery::Again(Self { wanted: Wanted::Whole, ..self })
    }
}

impl Wanted {
    fn start(&self) -> usize {
        match self {
            Self::Start | Self::Whole => 0,
            Self::More(begun) => begun.at,
        }
    }
}

fn range_from(at: usize) -> String {
    format!("bytes={at}-{}", at.saturating_add(PART - 1))
}

fn kept(etag: Option<String>) -> Option<String> {
    etag.filter(|etag| etag.len() <= LONGEST_ETAG)
}

/// Whether equal tags mean equal bytes (RFC 9110 §8.8.3).
fn is_strong(etag: &str) -> bool {
    let tag = etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    tag.is_some_and(|tag| tag.bytes().all(|byte| byte > b' ' && byte != b'"' && byte != 0x7f))
}

fn not_what_was_asked() -> Fault {
    Fault::Malformed("other bytes than were asked for".to_owned())
}

#[cfg(test)]
mod tests;
