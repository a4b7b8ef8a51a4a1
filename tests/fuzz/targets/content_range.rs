//! A document that a directory sends in parts: its bytes come in order, none twice, and no more than were allowed.
//!
//! An input has an answer a line: status, length of the body, `Content-Range` and `ETag`, with tabs between them.

use token_endpoint::registry::remote::{AnswerHead, Delivery, Fetch};

const LIMIT: usize = 4 * 1024 * 1024;
/// Twice because the document has changed on its way, and once as a whole.
const MOST_RESTARTS: usize = 3;

pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (mut fetch, mut here, mut restarts) = (Fetch::new(Some("\"old\"".to_owned())), 0, 0);
    for head in text.lines().map(head) {
        let length = head.length;
        match fetch.receive(head, LIMIT) {
            Err(_) | Ok(Delivery::Unchanged) => return,
            Ok(Delivery::Last { start, .. }) => return assert_next(start, here, length),
            Ok(Delivery::Part { start, rest }) => {
                assert_next(start, here, length);
                (fetch, here) = (rest, start + length);
            }
            Ok(Delivery::Again(again)) => {
                restarts += 1;
                assert!(restarts <= MOST_RESTARTS);
                (fetch, here) = (again, 0);
            }
        }
    }
}

/// A whole document comes at any time.
fn assert_next(start: usize, here: usize, length: usize) {
    assert!(start == here || start == 0, "{start} after {here}");
    assert!(start.saturating_add(length) <= LIMIT, "{start} and {length} more");
}

fn head(line: &str) -> AnswerHead {
    let mut words = line.split('\t');
    let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    let (status, length) = (u16::try_from(number()).unwrap_or_default(), number());
    let mut text = || words.next().map(str::to_owned);
    AnswerHead { status, length, content_range: text(), etag: text() }
}
