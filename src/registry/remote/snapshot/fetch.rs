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
mod tests {
    use super::*;

    const TOTAL: usize = 2 * PART + 10;
    const LIMIT: usize = 3 * PART;

    /// An answer with a part of a document of `total` bytes.
    fn part(etag: &str, first: usize, length: usize, total: usize) -> AnswerHead {
        let content_range = format!("bytes {first}-{}/{total}", first + length - 1);
        AnswerHead { status: 206, etag: Some(etag.to_owned()), content_range: Some(content_range), length }
    }

    fn status(status: u16) -> AnswerHead {
        AnswerHead { status, ..AnswerHead::default() }
    }

    fn whole(length: usize) -> AnswerHead {
        AnswerHead { etag: Some("\"b\"".into()), length, ..status(200) }
    }

    fn start() -> Fetch {
        Fetch::new(Some("\"old\"".to_owned()))
    }

    /// A fetch that has the first part.
    fn begun() -> Fetch {
        let Ok(Delivery::Part { start: 0, rest }) = start().receive(part("\"a\"", 0, PART, TOTAL), LIMIT) else {
            panic!("no part");
        };
        rest
    }

    fn last(start: usize, etag: Option<&str>) -> Result<Delivery, Fault> {
        Ok(Delivery::Last { start, etag: etag.map(str::to_owned) })
    }

    fn again(fetch: Fetch, head: AnswerHead) -> Fetch {
        let delivery = fetch.receive(head, LIMIT);
        let Ok(Delivery::Again(fetch)) = delivery else { panic!("{delivery:?}") };
        fetch
    }

    fn is_whole(fetch: &Fetch) -> bool {
        fetch.headers() == [("if-none-match", "\"old\"".to_owned())]
    }

    #[test]
    fn a_small_document_is_one_request() {
        let header = |name, value: &str| (name, value.to_owned());
        assert_eq!(Fetch::new(None).headers(), [("range", "bytes=0-1048575".to_owned())]);
        assert_eq!(start().headers(), [header("if-none-match", "\"old\""), header("range", "bytes=0-1048575")]);
        for etag in ["\"a\"", "W/\"a\""] {
            assert_eq!(start().receive(part(etag, 0, 500, 500), LIMIT), last(0, Some(etag)));
            assert_eq!(start().receive(part(etag, 0, PART, PART), LIMIT), last(0, Some(etag)));
        }
    }

    #[test]
    fn a_large_document_comes_in_parts_of_the_same_etag() {
        let header = |name, value: &str| (name, value.to_owned());
        let second = begun();
        assert_eq!(second.headers(), [header("if-match", "\"a\""), header("range", "bytes=1048576-2097151")]);
        let Ok(Delivery::Part { start, rest }) = second.receive(part("\"a\"", PART, PART, TOTAL), LIMIT) else {
            panic!("no part");
        };
        assert_eq!((start, &rest.headers()[1]), (PART, &header("range", "bytes=2097152-3145727")));
        assert_eq!(rest.receive(part("\"a\"", 2 * PART, 10, TOTAL), LIMIT), last(2 * PART, Some("\"a\"")));
    }

    #[test]
    fn a_server_without_ranges_sends_it_whole_at_any_time() {
        for fetch in [start(), begun()] {
            assert_eq!(fetch.clone().receive(whole(LIMIT), LIMIT), last(0, Some("\"b\"")));
            assert_eq!(fetch.receive(whole(LIMIT + 1), LIMIT), Err(Fault::TooLarge(LIMIT)));
        }
        let long = AnswerHead { etag: Some("b".repeat(2000)), ..status(200) };
        assert_eq!(start().receive(long, LIMIT), last(0, None));
    }

    #[test]
    fn what_did_not_change_is_not_sent_again_to_who_knows_it() {
        assert_eq!(start().receive(status(304), LIMIT), Ok(Delivery::Unchanged));
        assert_eq!(Fetch::new(None).receive(status(304), LIMIT), Err(Fault::Status(304)));
        assert_eq!(begun().receive(status(304), LIMIT), Err(Fault::Status(304)));
    }

    #[test]
    fn a_document_that_changes_on_its_way_is_begun_anew_and_at_last_asked_for_whole() {
        let changes = [
            status(412),
            status(416),
            part("\"b\"", PART, PART, TOTAL),
            part("W/\"a\"", PART, PART, TOTAL),
            part("\"b\"", PART, 7, PART + 7),
            AnswerHead { etag: None, ..part("", PART, PART, TOTAL) },
        ];
        for change in changes {
            let mut fetch = start();
            for _ in 0..RESTARTS {
                let Ok(Delivery::Part { rest, .. }) = fetch.receive(part("\"a\"", 0, PART, TOTAL), LIMIT) else {
                    panic!("no part");
                };
                fetch = again(rest, change.clone());
                assert_eq!(fetch.headers(), start().headers());
            }
            let Ok(Delivery::Part { rest, .. }) = fetch.receive(part("\"a\"", 0, PART, TOTAL), LIMIT) else {
                panic!("no part");
            };
            assert!(is_whole(&again(rest, change)));
        }
    }

    #[test]
    fn parts_that_can_not_be_put_together_are_given_up_for_the_whole() {
        let unknown_total =
            AnswerHead { content_range: Some("bytes 0-1048575/*".into()), ..part("\"a\"", 0, PART, TOTAL) };
        let cases = [
            AnswerHead { etag: None, ..part("", 0, PART, TOTAL) },
            part("W/\"a\"", 0, PART, TOTAL),
            part("a", 0, PART, TOTAL),
            part("\"a\", \"b\"", 0, PART, TOTAL),
            part(&format!("\"{}\"", "a".repeat(1024)), 0, PART, TOTAL),
            part("\"a\"", 0, PART - 1, TOTAL),
            unknown_total,
            status(416),
        ];
        for head in cases {
            assert!(is_whole(&again(start(), head.clone())), "{head:?}");
        }
        assert!(is_whole(&again(begun(), part("\"a\"", PART, 5, TOTAL))));
    }

    #[test]
    fn other_bytes_than_were_asked_for_are_refused() {
        let with = |content_range: &str| AnswerHead {
            content_range: Some(content_range.to_owned()),
            ..part("\"a\"", PART, PART, TOTAL)
        };
        let cases = [
            part("\"a\"", 0, PART, TOTAL),
            part("\"a\"", PART + 1, PART, TOTAL + 1),
            part("\"a\"", PART, PART + 1, TOTAL),
            part("\"a\"", PART, PART, TOTAL + 1),
            AnswerHead { length: PART + 1, ..part("\"a\"", PART, PART, TOTAL) },
            AnswerHead { length: PART - 1, ..part("\"a\"", PART, PART, TOTAL) },
            AnswerHead { length: 0, ..part("\"a\"", PART, PART, TOTAL) },
            AnswerHead { content_range: None, ..part("\"a\"", PART, PART, TOTAL) },
            with("bytes */2097162"),
            with("bytes 1048576-2097151/12"),
            with("items 1048576-2097151/2097162"),
        ];
        for head in cases {
            assert_eq!(begun().receive(head.clone(), LIMIT), Err(not_what_was_asked()), "{head:?}");
        }
        assert_eq!(start().receive(part("\"a\"", 1, 10, 11), LIMIT), Err(not_what_was_asked()));
        assert_eq!(start().receive(part("\"a\"", 0, PART, LIMIT + 1), LIMIT), Err(Fault::TooLarge(LIMIT)));
    }

    #[test]
    fn no_other_status_is_an_answer() {
        let asked_whole = again(start(), status(416));
        for code in [204, 301, 401, 404, 500, 503] {
            for fetch in [start(), begun(), asked_whole.clone()] {
                assert_eq!(fetch.receive(status(code), LIMIT), Err(Fault::Status(code)));
            }
        }
        assert_eq!(start().receive(status(412), LIMIT), Err(Fault::Status(412)));
        assert_eq!(start().receive(status(0), LIMIT), Err(Fault::NoAnswer));
        assert_eq!(asked_whole.clone().receive(part("\"a\"", 0, 10, 10), LIMIT), Err(Fault::Status(206)));
        assert_eq!(asked_whole.receive(status(416), LIMIT), Err(Fault::Status(416)));
    }
}
