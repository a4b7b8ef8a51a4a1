//! Finds where each record of a document ends, a piece of text at a time, so that no step takes long and the whole
//! document is never in memory.

mod lines;
mod list;
mod place;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Deserialize;

use self::place::Place;

/// How a document lists its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON document: `{"users": […]}` or `[…]`.
    Json,
    /// One JSON object a line.
    JsonLines,
}

/// A document being cut into records.
#[derive(Debug)]
pub struct Records {
    format: Format,
    place: Place,
    wrapped: bool,
    /// What was fed and not yet told.
    text: Vec<u8>,
    /// Where in the text the record begins that is being looked for.
    start: usize,
    /// How much of the text was looked at.
    at: usize,
    /// Records told, or lines passed.
    count: usize,
    ended: bool,
}

/// What a record is called in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// By its place in the list, from 0.
    User(usize),
    /// By its line, from 1.
    Line(usize),
}

/// What comes next in a document.
#[derive(Debug, PartialEq, Eq)]
pub enum NextItem<'a> {
    /// A record.
    Record(Name, &'a [u8]),
    /// The text at hand holds no whole record.
    NeedInput,
    /// The document is complete.
    Done,
    /// It is no such document, and why.
    Broken(String),
}

/// The longest record, in bytes: reading one must not take long.
const LONGEST_RECORD: usize = 64 * 1024;

impl Records {
    /// A document of which nothing was fed yet.
    pub fn new(format: Format) -> Self {
        let (text, place) = (Vec::new(), Place::Start);
        Self { format, place, wrapped: false, text, start: 0, at: 0, count: 0, ended: false }
    }

    /// Takes the next piece of the document.
    pub fn feed(&mut self, piece: &[u8]) {
        self.text.drain(..self.start.min(self.text.len()));
        self.at = self.at.saturating_sub(self.start);
        self.start = 0;
        self.text.extend_from_slice(piece);
    }

    /// There are no more pieces.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The next record, if it is there whole.
    pub fn next_record(&mut self) -> NextItem<'_> {
        match self.format {
            Format::Json => self.next_in_list(),
            Format::JsonLines => self.next_line(),
        }
    }

    fn name(&self, number: usize) -> Name {
        match self.format {
            Format::Json => Name::User(number),
            Format::JsonLines => Name::Line(number),
        }
    }

    fn tell(&self, number: usize, record: std::ops::Range<usize>) -> NextItem<'_> {
        NextItem::Record(self.name(number), self.text.get(record).unwrap_or_default())
    }

    fn is_long(&self, length: usize) -> bool {
        length > LONGEST_RECORD
    }

    fn too_long(&self) -> NextItem<'_> {
        broken(format!("{}: longer than {LONGEST_RECORD} bytes", self.name(self.count)))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(number) => write!(f, "users[{number}]"),
            Self::Line(number) => write!(f, "line {number}"),
        }
    }
}

fn broken(why: impl Into<String>) -> NextItem<'static> {
    NextItem::Broken(why.into())
}
