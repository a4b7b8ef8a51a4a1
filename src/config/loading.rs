//! A fetched document on its way to a table of users, one record at a time.

use super::{
    auth_sources,
    context::Allowances,
    document::Object,
    problem::{Path, Problem, Report},
};
use crate::registry::{
    identifier::IdentifierRules,
    remote::{NextItem, Records, Snapshot},
    user::UserTable,
};

/// A document being read.
pub struct Loading {
    records: Records,
    rules: IdentifierRules,
    allowances: Allowances,
    users: UserTable,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadProgress {
    /// A record was read.
    Working,
    /// The next piece of the document is needed.
    NeedInput,
    /// All was read.
    Done,
}

impl Loading {
    /// The reading of a document of users with identifiers by these rules.
    pub fn new(snapshot: &Snapshot, rules: &IdentifierRules) -> Self {
        Self {
            records: Records::new(snapshot.format),
            rules: rules.clone(),
            allowances: Allowances { http_issuer: false, weak_hashes: snapshot.weak_hashes },
            users: UserTable::default(),
        }
    }

    /// Takes the next piece of the document; an empty one is its end.
    pub fn feed(&mut self, piece: &[u8]) {
        if piece.is_empty() {
            self.records.end();
        } else {
            self.records.feed(piece);
        }
    }

    /// Reads one record.
    ///
    /// # Errors
    /// The first problem of the document, none of whose users may count then. It shows no value.
    pub fn step(&mut self) -> Result<LoadProgress, Problem> {
        match self.records.next_record() {
            NextItem::NeedInput => Ok(LoadProgress::NeedInput),
            NextItem::Done => Ok(LoadProgress::Done),
            NextItem::Broken(what) => Err(Problem { path: "the document".to_owned(), what }),
            NextItem::Record(name, text) => {
                read(text, &name.to_string(), &self.rules, &mut self.users, self.allowances)
            }
        }
    }

    /// The users read.
    pub fn into_users(self) -> UserTable {
        self.users
    }
}

fn read(
    text: &[u8],
    name: &str,
    rules: &IdentifierRules,
    users: &mut UserTable,
    allowances: Allowances,
) -> Result<LoadProgress, Problem> {
    let report = Report::default();
    let path = Path::Field(&Path::Root, name);
    match std::str::from_utf8(text) {
        Ok(text) => {
            Object::record(text, &path, &report, |object| auth_sources::user(object, rules, users, allowances));
        }
        Err(_) => report.add(&path, "not UTF-8"),
    }
    report.into_problems().into_iter().next().map_or(Ok(LoadProgress::Working), Err)
}
