//! Finds where each record of a document ends, a piece of text at a time, so that no step takes long and the whole
//! document is never in memory.

use std::fmt;

use serde::Deserialize;

/// How a document lists its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
pub enum Next<'a> {
    /// A record.
    Record(Name, &'a [u8]),
    /// The text at hand holds no whole record.
    Hungry,
    /// The document is complete.
    Done,
    /// It is no such document, and why.
    Broken(String),
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Start,
    /// So much of the name of the list was seen.
    Name(usize),
    Colon,
    List,
    /// In the list, where a record or the list's end may be.
    First,
    Record(Nesting),
    AfterRecord,
    AfterComma,
    Close,
    End,
}

/// How deep inside a record we are.
#[derive(Clone, Copy, Debug, Default)]
struct Nesting {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

/// Whether a record goes on.
#[derive(PartialEq)]
enum Edge {
    Inside,
    /// This byte is its last.
    Last,
    /// This byte is no longer part of it.
    Past,
}

const NAME: &[u8] = b"\"users\"";
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
    pub fn next_record(&mut self) -> Next<'_> {
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

    fn next_line(&mut self) -> Next<'_> {
        while let Some(length) = self.text.get(self.at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
            let line = self.start..self.at + length;
            (self.start, self.at) = (line.end + 1, line.end + 1);
            self.count += 1;
            if self.is_long(line.len()) {
                return self.too_long();
            }
            if !is_blank(self.text.get(line.clone())) {
                self.place = Place::AfterRecord;
                return self.tell(self.count, line);
            }
        }
        self.at = self.text.len();
        self.last_line()
    }

    fn last_line(&mut self) -> Next<'_> {
        let line = self.start..self.text.len();
        if self.is_long(line.len()) {
            self.count += 1;
            return self.too_long();
        }
        if !self.ended {
            return Next::Hungry;
        }
        if !is_blank(self.text.get(line.clone())) {
            self.start = line.end;
            self.count += 1;
            self.place = Place::AfterRecord;
            return self.tell(self.count, line);
        }
        if matches!(self.place, Place::Start) { broken("an empty document") } else { Next::Done }
    }

    fn next_in_list(&mut self) -> Next<'_> {
        while let Some(byte) = self.text.get(self.at).copied() {
            if let Place::Record(nesting) = &mut self.place {
                let edge = nesting.pass(byte);
                self.at += usize::from(edge != Edge::Past);
                if edge != Edge::Inside {
                    return self.record_ends();
                }
            } else if !self.pass(byte) {
                return self.unexpected();
            }
        }
        let in_record = matches!(self.place, Place::Record(_));
        if in_record && self.is_long(self.at - self.start) {
            return self.too_long();
        }
        if !in_record {
            self.start = self.at;
        }
        match (self.ended, self.place) {
            (false, _) => Next::Hungry,
            (true, Place::End) => Next::Done,
            (true, Place::Start) => broken("an empty document"),
            (true, _) => broken(format!("{}: the document ends too soon", self.name(self.count))),
        }
    }

    fn record_ends(&mut self) -> Next<'_> {
        let record = self.start..self.at;
        if self.is_long(record.len()) {
            return self.too_long();
        }
        self.place = Place::AfterRecord;
        self.start = self.at;
        self.count += 1;
        self.tell(self.count - 1, record)
    }

    /// Passes a byte outside of records. False if it must not be there.
    fn pass(&mut self, byte: u8) -> bool {
        let within_name = matches!(self.place, Place::Name(1..));
        if byte.is_ascii_whitespace() && !within_name {
            self.at += 1;
            return true;
        }
        let place = match (self.place, byte) {
            (Place::Start | Place::List, b'[') => Place::First,
            (Place::Start, b'{') => {
                self.wrapped = true;
                Place::Name(0)
            }
            (Place::Name(seen), _) if NAME.get(seen) == Some(&byte) => match seen + 1 {
                all if all == NAME.len() => Place::Colon,
                more => Place::Name(more),
            },
            (Place::Colon, b':') => Place::List,
            (Place::First | Place::AfterRecord, b']') if self.wrapped => Place::Close,
            (Place::First | Place::AfterRecord, b']') => Place::End,
            (Place::AfterRecord, b',') => Place::AfterComma,
            (Place::First | Place::AfterComma, _) if !b",:]}".contains(&byte) => {
                self.start = self.at;
                self.place = Place::Record(Nesting::default());
                return true;
            }
            (Place::Close, b'}') => Place::End,
            _ => return false,
        };
        self.place = place;
        self.at += 1;
        true
    }

    fn unexpected(&self) -> Next<'_> {
        match self.place {
            Place::Start | Place::Name(_) | Place::Colon | Place::List => broken("expected {\"users\": […]} or […]"),
            Place::End | Place::Close => broken("something stands behind the list of users"),
            _ => broken(format!("{}: not JSON", self.name(self.count))),
        }
    }

    fn tell(&self, number: usize, record: std::ops::Range<usize>) -> Next<'_> {
        Next::Record(self.name(number), self.text.get(record).unwrap_or_default())
    }

    fn is_long(&self, length: usize) -> bool {
        length > LONGEST_RECORD
    }

    fn too_long(&self) -> Next<'_> {
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

impl Nesting {
    fn pass(&mut self, byte: u8) -> Edge {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => {
                self.in_string = !self.in_string;
                return self.edge();
            }
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth == 0 => return Edge::Past,
            b'}' | b']' => {
                self.depth -= 1;
                return self.edge();
            }
            b',' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => return Edge::Past,
            _ => {}
        }
        Edge::Inside
    }

    fn edge(&self) -> Edge {
        if self.depth == 0 && !self.in_string { Edge::Last } else { Edge::Inside }
    }
}

fn is_blank(line: Option<&[u8]>) -> bool {
    line.unwrap_or_default().trim_ascii().is_empty()
}

fn broken(why: impl Into<String>) -> Next<'static> {
    Next::Broken(why.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The records of a document that comes in pieces of `size` bytes, and what is wrong with it.
    fn cut(format: Format, document: &[u8], size: usize) -> (Vec<(String, String)>, Option<String>) {
        let mut records = Records::new(format);
        let (mut pieces, mut told) = (document.chunks(size), Vec::new());
        loop {
            match records.next_record() {
                Next::Record(name, text) => told.push((name.to_string(), String::from_utf8_lossy(text).into_owned())),
                Next::Done => return (told, None),
                Next::Broken(why) => return (told, Some(why)),
                Next::Hungry => match pieces.next() {
                    Some(piece) => records.feed(piece),
                    None => records.end(),
                },
            }
        }
    }

    fn texts(format: Format, document: &str, size: usize) -> Vec<String> {
        let (records, problem) = cut(format, document.as_bytes(), size);
        assert_eq!(problem, None, "{document}");
        records.into_iter().map(|(_, text)| text).collect()
    }

    fn problem(format: Format, document: &str) -> String {
        cut(format, document.as_bytes(), 7).1.unwrap()
    }

    #[test]
    fn a_list_is_cut_wherever_its_pieces_end() {
        let list = r#" [ {"a":"]}\\\"{","b":[{}]} ,[1,[2]],"x, \"y" , 12,null ] "#;
        let wrapped = format!("{{ \"users\" :{list}}}\n");
        let expected = [r#"{"a":"]}\\\"{","b":[{}]}"#, "[1,[2]]", r#""x, \"y""#, "12", "null"];
        for size in 1..list.len() {
            assert_eq!(texts(Format::Json, list, size), expected);
            assert_eq!(texts(Format::Json, &wrapped, size), expected);
        }
        assert_eq!(texts(Format::Json, "[]", 1), [""; 0]);
        assert_eq!(texts(Format::Json, "{\"users\":[]}", 1), [""; 0]);
    }

    #[test]
    fn lines_are_numbered_as_an_editor_does_and_blank_ones_are_passed_over() {
        for size in 1..12 {
            let (records, problem) = cut(Format::JsonLines, b"{}\r\n\n  \n{\"a\":1}\n[]", size);
            assert_eq!(
                records,
                [("line 1", "{}\r"), ("line 4", "{\"a\":1}"), ("line 5", "[]")]
                    .map(|(name, text)| (name.into(), text.into()))
            );
            assert_eq!(problem, None);
        }
    }

    #[test]
    fn what_is_no_list_of_users_is_broken() {
        for text in ["<html>", "{}", "{\"user\":[]}", "{\"users\":{}}", "{\"us ers\":[]}", "7", "null"] {
            assert_eq!(problem(Format::Json, text), "expected {\"users\": […]} or […]", "{text}");
        }
        for text in ["", " \n"] {
            assert_eq!(problem(Format::Json, text), "an empty document");
            assert_eq!(problem(Format::JsonLines, text), "an empty document");
        }
        assert_eq!(problem(Format::Json, "[{},"), "users[1]: the document ends too soon");
        assert_eq!(problem(Format::Json, "[{},{\"a"), "users[1]: the document ends too soon");
        assert_eq!(problem(Format::Json, "[{},]"), "users[1]: not JSON");
        assert_eq!(problem(Format::Json, "[{} {}]"), "users[1]: not JSON");
        assert_eq!(problem(Format::Json, "[{}]]"), "something stands behind the list of users");
        assert_eq!(problem(Format::Json, "{\"users\":[],\"a\":1}"), "something stands behind the list of users");
    }

    #[test]
    fn a_record_without_end_is_broken_before_it_fills_the_memory() {
        let long = "x".repeat(LONGEST_RECORD + 1);
        assert_eq!(problem(Format::Json, &format!("[1,\"{long}")), "users[1]: longer than 65536 bytes");
        assert_eq!(problem(Format::Json, &format!("[1,\"{long}\"]")), "users[1]: longer than 65536 bytes");
        assert_eq!(problem(Format::JsonLines, &format!("1\n{long}")), "line 2: longer than 65536 bytes");
        assert_eq!(problem(Format::JsonLines, &format!("1\n{long}\n2")), "line 2: longer than 65536 bytes");
    }

    fn any_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_list_is_cut_into_its_elements(list in prop::collection::vec(any_value(), 0..6), size in 1..40_usize, pretty: bool) {
            let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
            let texts = texts(Format::Json, &write(&list).unwrap(), size);
            let read: Vec<serde_json::Value> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
            prop_assert_eq!(read, list);
        }

        #[test]
        fn any_bytes_come_to_an_end(bytes in prop::collection::vec(prop::sample::select(b"[]{}\",:\\ \nu1".to_vec()), 0..60), size in 1..9_usize) {
            let (records, problem) = cut(Format::Json, &bytes, size);
            let is_json = serde_json::from_slice::<Vec<serde_json::Value>>(&bytes).is_ok();
            let all_are_json = records.iter().all(|(_, text)| serde_json::from_str::<serde_json::Value>(text).is_ok());
            if is_json {
                prop_assert!(problem.is_none() && all_are_json);
            }
            let _ = cut(Format::JsonLines, &bytes, size);
        }
    }
}
