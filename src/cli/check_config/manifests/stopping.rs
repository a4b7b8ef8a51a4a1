//! Plugins that can't stop a request at its headers: its body never comes, and a login hangs.

use super::{
    super::{document::Tree, wasm::Form},
    finding::Finding,
    given::Given,
    plugin::ManifestPlugin,
};

const FIELD: &str = "allow_on_headers_stop_iteration";

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    let is_patched =
        given.of_kind("EnvoyPatchPolicy").any(|document| document.tree.list("spec.jsonPatches").iter().any(sets));
    let endpoints = given.plugins.iter().filter(|plugin| !plugin.is_holder() && !plugin.is_held_for());
    endpoints.filter_map(|plugin| of_plugin(plugin, is_patched)).collect()
}

/// Whether a patch of an `EnvoyPatchPolicy` sets it.
fn sets(patch: &Tree) -> bool {
    patch.text_at("operation.path").rsplit('/').next() == Some(FIELD)
        && patch.at("operation.value").is_some_and(|value| value.is("true"))
}

const HOLD: &str = "expected next_filter, and a second plugin with `hold`: a WasmPlugin can't set \
                    allow_on_headers_stop_iteration, and a login would hang";
const HOLD_OR_PATCH: &str = "expected next_filter, and a second plugin with `hold`: without an EnvoyPatchPolicy that \
                             sets allow_on_headers_stop_iteration a login would hang";
const ALLOW: &str = "expected true: the body of a login never comes otherwise, and it hangs";

fn of_plugin(plugin: &ManifestPlugin, is_patched: bool) -> Option<Finding> {
    let is_allowed = || plugin.wasm.fields.field(FIELD).is_some_and(|value| value.is("true"));
    let held_by = || plugin.setting("headers_held_by");
    let (can_stop, path, what) = match plugin.wasm.form {
        Form::Filter => (is_allowed(), plugin.path(FIELD), ALLOW),
        Form::WasmPlugin => (false, held_by(), HOLD),
        Form::ExtensionPolicy => (is_patched, held_by(), HOLD_OR_PATCH),
    };
    (!can_stop).then(|| plugin.document.error(&path, what))
}
