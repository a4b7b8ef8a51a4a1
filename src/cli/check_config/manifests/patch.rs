//! The patches of Istio's `EnvoyFilter`, and which of them are about our filter.

use super::{
    super::{
        document::{Tree, inside},
        wasm,
    },
    document::Document,
};

/// One patch.
pub(crate) struct Patch<'a> {
    /// The document that has it.
    pub(crate) document: Document<'a>,
    /// Where it is there.
    pub(crate) path: String,
    /// What it says.
    pub(crate) tree: &'a Tree,
}

/// All patches that were given.
pub(crate) struct Patches<'a> {
    /// In their order.
    pub(crate) all: Vec<Patch<'a>>,
}

impl<'a> Patches<'a> {
    /// Those of the documents.
    pub(crate) fn of(documents: &[Document<'a>]) -> Self {
        let filters = documents.iter().filter(|document| document.kind() == "EnvoyFilter");
        Self { all: filters.flat_map(|document| of_filter(*document)).collect() }
    }

    fn to(&self, target: &str) -> impl Iterator<Item = &Patch<'a>> {
        self.all.iter().filter(move |patch| patch.tree.text_at("applyTo") == target)
    }

    /// Those that put our filter among the others.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &Patch<'a>> {
        self.to("HTTP_FILTER").filter(|patch| self.is_ours(patch.value().text_at("name")))
    }

    /// Those whose routes switch our filter on.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Patch<'a>> {
        self.to("HTTP_ROUTE").filter(|patch| patch.switched_on().any(|name| self.is_ours(name)))
    }

    /// Whether this is the name of our filter: one that says so, or under which one of the patches has our plugin.
    fn is_ours(&self, filter: &str) -> bool {
        let mut named = self.all.iter().filter(|patch| patch.value().text_at("name") == filter);
        wasm::is_our_name(filter) || named.any(Patch::has_our_plugin)
    }
}

fn of_filter(document: Document) -> Vec<Patch> {
    let patches = document.tree.list("spec.configPatches").iter().enumerate();
    patches.map(|(at, tree)| Patch { document, path: format!("spec.configPatches[{at}]"), tree }).collect()
}

impl<'a> Patch<'a> {
    /// What it puts there.
    pub(crate) fn value(&self) -> &'a Tree {
        self.tree.at("patch.value").unwrap_or(&Tree::Null)
    }

    /// Where a field of its value is in the document.
    pub(crate) fn field(&self, name: &str) -> String {
        inside(&self.path, &format!("patch.value.{name}"))
    }

    fn has_our_plugin(&self) -> bool {
        wasm::find(self.value()).iter().any(wasm::Wasm::has_our_name)
    }

    /// The names of the filters that it switches on.
    fn switched_on(&self) -> impl Iterator<Item = &'a str> {
        let filters = self.value().field("typed_per_filter_config").map(Tree::fields).unwrap_or_default();
        let is_off = |config: &Tree| config.get("disabled").is_some_and(|value| value.is("true"));
        filters.iter().filter(move |(_, config)| !is_off(config)).map(|(name, _)| name.as_str())
    }
}
