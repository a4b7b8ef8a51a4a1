//! What a rule looks at.

use super::{
    super::document::Tree,
    document::{self, Document},
    patch::Patches,
    plugin::{self, ManifestPlugin},
};

/// The documents, and what is ours in them.
pub(crate) struct Given<'a> {
    pub(crate) documents: Vec<Document<'a>>,
    pub(crate) plugins: Vec<ManifestPlugin<'a>>,
    pub(crate) patches: Patches<'a>,
}

impl<'a> Given<'a> {
    /// What is in these files.
    pub(crate) fn new(files: &'a [Tree]) -> Self {
        let documents = document::all(files);
        Self { plugins: plugin::ours(&documents), patches: Patches::of(&documents), documents }
    }

    /// The documents of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = Document<'a>> {
        self.documents.iter().copied().filter(move |document| document.kind() == kind)
    }
}
