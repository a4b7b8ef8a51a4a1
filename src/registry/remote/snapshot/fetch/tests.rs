//! A document that comes in parts, and servers that get in the way of it.

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
    let unknown_total = AnswerHead { content_range: Some("bytes 0-1048575/*".into()), ..part("\"a\"", 0, PART, TOTAL) };
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
