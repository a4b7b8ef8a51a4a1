//! The dynamic modules in the documents that Envoy is configured with.

use super::{
    document::{Tree, inside},
    wasm::{is_our_name, payload},
};

/// A dynamic module's HTTP filter as a document has it.
pub(crate) struct DynamicModule<'a> {
    path: String,
    fields: &'a Tree,
}

/// All in a document.
pub(crate) fn find(document: &Tree) -> Vec<DynamicModule<'_>> {
    let mut found = Vec::new();
    document.walk("", &mut |path, tree| {
        if tree.type_name() == Some("envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter") {
            found.push(DynamicModule { path: path.to_owned(), fields: tree });
        }
    });
    found
}

impl DynamicModule<'_> {
    /// Where its configuration is in the document.
    pub(crate) fn configuration_path(&self) -> String {
        inside(&self.path, "filter_config")
    }

    /// The configuration that the module is given, or what is wrong with how it is written.
    pub(crate) fn configuration(&self) -> Result<String, &'static str> {
        self.fields.field("filter_config").map_or_else(|| Ok(String::new()), payload)
    }

    /// Whether the module is named as ours is.
    pub(crate) fn has_our_name(&self) -> bool {
        let module = self.fields.field("dynamic_module_config").unwrap_or(&Tree::Null);
        is_our_name(module.text_at("name"))
    }
}
