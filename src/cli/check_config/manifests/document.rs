//! The documents of files, each with the names that an operator knows it by.

use super::{
    super::document::Tree,
    finding::{Finding, Severity},
};

/// A document in one of the files: a manifest, or something of Envoy's own.
#[derive(Clone, Copy)]
pub(crate) struct Document<'a> {
    /// The number of the file that it is in.
    pub(crate) file: usize,
    /// What it says.
    pub(crate) tree: &'a Tree,
}

/// All documents of files, those in lists too.
pub(crate) fn all(files: &[Tree]) -> Vec<Document<'_>> {
    let of_file = |(file, tree)| parts(tree).into_iter().map(move |tree| Document { file, tree });
    files.iter().enumerate().flat_map(of_file).collect()
}

/// Several documents of a file are a list, and `kubectl get` wraps several in one of its kind `List`.
fn parts(tree: &Tree) -> Vec<&Tree> {
    match tree {
        Tree::List(documents) => documents.iter().flat_map(parts).collect(),
        list if list.text_at("kind").ends_with("List") => list.list("items").iter().collect(),
        document => vec![document],
    }
}

impl<'a> Document<'a> {
    /// Its kind; Envoy's own documents have none.
    pub(crate) fn kind(&self) -> &'a str {
        self.tree.text_at("kind")
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'a str {
        self.tree.text_at("metadata.name")
    }

    /// What an operator knows it by; nothing, where it is Envoy's own.
    pub(crate) fn label(&self) -> String {
        [self.kind(), self.name()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }

    /// Whether both can be in one namespace: one that doesn't say gets its own from `kubectl`.
    pub(crate) fn may_be_beside(&self, other: &Document) -> bool {
        let [own, others] = [self, other].map(|document| document.tree.text_at("metadata.namespace"));
        own == others || own.is_empty() || others.is_empty()
    }

    /// Something wrong in it.
    pub(crate) fn error(&self, path: &str, what: impl Into<String>) -> Finding {
        self.finding(Severity::Error, path, what.into())
    }

    /// Something in it that may not be meant.
    pub(crate) fn warning(&self, path: &str, what: impl Into<String>) -> Finding {
        self.finding(Severity::Warning, path, what.into())
    }

    fn finding(&self, severity: Severity, path: &str, what: String) -> Finding {
        Finding { severity, file: self.file, document: self.label(), path: path.to_owned(), what }
    }
}
