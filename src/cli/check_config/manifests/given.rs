//! What a rule looks at.

use super::{
    super::document::Tree,
    document::{self, Document},
    patch::Patches,
    plugin::{self, ManifestPlugin},
};

/// The documents, and what is ours in them.
pub struct Given<'a> {
    pub documents: Vec<Document<'a>>,
    pub plugins: Vec<ManifestPlugin<'a>>,
    pub patches: Patches<'a>,
}

impl<'a> Given<'a> {
    /// What is in these files.
    pub fn new(files: &'a [Tree]) -> Self {
        let documents = document::all(files);
        Self { plugins: plugin::ours(&documents), patches: Patches::of(&documents), documents }
    }

    /// The documents of a kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = Document<'a>> {
        self.documents.iter().copied().filter(move |document| document.kind() == kind)
    }
}
