//! What is wrong with a configuration, and where.

use std::{cell::RefCell, fmt};

/// One mistake in a configuration document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `auth_sources[0].users[3].password_hash`.
    pub path: String,
    /// What, without any value from the document.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// The way to a value, written out only when there is a problem with it.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => f.write_str("configuration"),
            Path::Field(Path::Root, name) => f.write_str(name),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Collects problems, so that all of them are told at once.
#[derive(Default)]
pub(super) struct Report {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl Report {
    pub(super) fn add(&self, path: &Path, what: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { path: path.to_string(), what: what.into() });
    }

    /// Adds something that an operator should know, and that may still be meant.
    pub(super) fn warn(&self, path: &Path, what: impl Into<String>) {
        self.warnings.borrow_mut().push(Problem { path: path.to_string(), what: what.into() });
    }

    pub(super) fn take_warnings(&self) -> Vec<Problem> {
        self.warnings.take()
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}
