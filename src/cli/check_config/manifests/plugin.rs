//! The token endpoints and the holders among the plugins of the documents.

use std::path::Path;

use super::{
    super::{
        document::{Tree, inside},
        reading,
        wasm::{self, Form, Wasm},
    },
    document::Document,
};

/// One of ours.
pub(crate) struct ManifestPlugin<'a> {
    /// The document that has it.
    pub(crate) document: Document<'a>,
    /// Where it is there.
    pub(crate) wasm: Wasm<'a>,
    /// Its configuration; null, where that can't be read.
    pub(crate) configuration: Tree,
}

/// Ours by the name of their image or file or, where that is called otherwise, by settings that nobody else has.
pub(crate) fn ours<'a>(documents: &[Document<'a>]) -> Vec<ManifestPlugin<'a>> {
    let plugins =
        documents.iter().flat_map(|document| wasm::find(document.tree).into_iter().map(move |wasm| (document, wasm)));
    plugins.map(|(document, wasm)| ManifestPlugin::of(*document, wasm)).filter(ManifestPlugin::is_ours).collect()
}

impl<'a> ManifestPlugin<'a> {
    fn of(document: Document<'a>, wasm: Wasm<'a>) -> Self {
        let text = wasm.configuration().unwrap_or_default();
        let configuration = reading::read(&text, Path::new("configuration.json")).unwrap_or(Tree::Null);
        Self { document, wasm, configuration }
    }

    fn is_ours(&self) -> bool {
        self.wasm.has_our_name() || self.configuration.get("signing_keys").is_some() || self.is_holder()
    }

    /// Whether it only holds requests, for a token endpoint in front of it.
    pub(crate) fn is_holder(&self) -> bool {
        self.configuration.get("hold").is_some()
    }

    /// Whether it leaves it to the next filter to hold the headers of a request.
    pub(crate) fn is_held_for(&self) -> bool {
        self.configuration.text_at("headers_held_by") == "next_filter"
    }

    /// Where one of its fields is in the document.
    pub(crate) fn path(&self, field: &str) -> String {
        inside(&self.wasm.path, field)
    }

    /// Where a setting of its configuration is in the document.
    pub(crate) fn setting(&self, name: &str) -> String {
        let configuration = self.wasm.configuration_path();
        let wrapped = if self.wasm.form == Form::Filter { inside(&configuration, "value") } else { configuration };
        inside(&wrapped, name)
    }
}
