//! What is told of a manifest.

use std::fmt;

/// Something that is wrong with a document, or may be.
pub struct Finding {
    /// Whether it is.
    pub(crate) severity: Severity,
    /// The number of the file.
    pub(crate) file: usize,
    /// `kind/name`; nothing, where the document has none.
    pub(crate) document: String,
    /// Where in the document.
    pub(crate) path: String,
    /// What, without a value from the document that could be secret.
    pub(crate) what: String,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is wrong.
    Error,
    /// It works, and may not be meant.
    Warning,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !self.document.is_empty() {
            write!(f, "{}: ", self.document)?;
        }
        write!(f, "{}: {}", self.path, self.what)
    }
}
