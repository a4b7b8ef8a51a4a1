//! Documents of users: they are cut into the same records wherever their pieces end, into those that serde_json finds, and
//! each record that is accepted is a user.
//!
//! The first byte of an input is the length of its pieces; the rest is the document.

use serde_json::value::RawValue;
use token_endpoint::{
    config::loading::{LoadProgress, Loading},
    registry::{
        auth_source::Directory,
        remote::{Format, NextItem, Records},
    },
};

use super::fixture::source;

/// The records, and what is wrong behind them.
type Cut = (Vec<Vec<u8>>, Option<String>);

pub fn read(bytes: &[u8]) {
    let Some((size, document)) = bytes.split_first() else { return };
    let size = usize::from(*size).max(1);
    for (id, format) in [("LIST", Format::Json), ("LINES", Format::JsonLines)] {
        let whole = cut(format, document, document.len().max(1));
        assert_eq!(cut(format, document, size), whole);
        if format == Format::Json {
            assert_like_serde_json(document, &whole);
        }
        if let Some(users) = load(id, document, size) {
            assert_eq!((users, None), (whole.0.len(), whole.1));
        }
    }
}

fn cut(format: Format, document: &[u8], size: usize) -> Cut {
    let (mut records, mut pieces, mut told) = (Records::new(format), document.chunks(size), Vec::new());
    loop {
        match records.next_record() {
            NextItem::Record(_, text) => told.push(text.to_vec()),
            NextItem::Done => return (told, None),
            NextItem::Broken(why) => return (told, Some(why)),
            NextItem::NeedInput => match pieces.next() {
                Some(piece) => records.feed(piece),
                None => records.end(),
            },
        }
    }
}

fn assert_like_serde_json(document: &[u8], (records, problem): &Cut) {
    let Ok(list) = serde_json::from_slice::<Vec<Box<RawValue>>>(document) else { return };
    assert_eq!(*problem, None);
    let theirs: Vec<_> = list.iter().map(|record| record.get().as_bytes().to_vec()).collect();
    assert_eq!(*records, theirs);
}

/// How many users the document has. None if it is refused.
fn load(id: &str, document: &[u8], size: usize) -> Option<usize> {
    let source = source(id);
    let Directory::Snapshot(snapshot) = &source.directory else { panic!("no snapshot") };
    let mut loading = Loading::new(snapshot, &source.identifiers);
    let mut pieces = document.chunks(size);
    loop {
        match loading.step().ok()? {
            LoadProgress::Working => {}
            LoadProgress::NeedInput => loading.feed(pieces.next().unwrap_or_default()),
            LoadProgress::Done => return Some(loading.into_users().len()),
        }
    }
}
