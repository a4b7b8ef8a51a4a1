//! Plugins that let requests pass while they can't be loaded: passwords would go to the service.

use super::{
    super::{document::Tree, wasm::Form},
    document::Document,
    finding::Finding,
    given::Given,
    plugin::ManifestPlugin,
};

const WHY: &str = "so that passwords go to the service while the plugin can't be loaded";

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    let has_policy = given.plugins.iter().any(|plugin| plugin.wasm.form == Form::ExtensionPolicy);
    let patched = given.of_kind("EnvoyPatchPolicy").filter(|_| has_policy).flat_map(patched);
    given.plugins.iter().flat_map(of_plugin).chain(patched).collect()
}

/// A field, what it must not be, and the cure.
type Open = (&'static str, &'static str, &'static str);

const POLICY: Open = ("failure_policy", "FAIL_OPEN", "take FAIL_RELOAD");
const FLAG: Open = ("fail_open", "true", "take failure_policy: FAIL_RELOAD");

fn of_plugin(plugin: &ManifestPlugin) -> Vec<Finding> {
    let ways: &[Open] = match plugin.wasm.form {
        Form::Filter => &[POLICY, FLAG],
        Form::WasmPlugin => &[("failStrategy", "FAIL_OPEN", "take FAIL_RELOAD")],
        Form::ExtensionPolicy => &[("failOpen", "true", "leave it out")],
    };
    let is_open = |(name, open, _): &&Open| plugin.wasm.fields.field(name).is_some_and(|value| value.is(open));
    let told = |(name, open, cure): &Open| plugin.document.error(&plugin.path(name), format!("{open}, {WHY}; {cure}"));
    ways.iter().filter(is_open).map(told).collect()
}

/// The fields that an `EnvoyPatchPolicy` sets.
fn patched(document: Document) -> Vec<Finding> {
    let patches = document.tree.list("spec.jsonPatches").iter().enumerate();
    patches.filter_map(|(at, patch)| of_patch(document, at, patch)).collect()
}

fn of_patch(document: Document, at: usize, patch: &Tree) -> Option<Finding> {
    let value = patch.at("operation.value")?;
    let sets = |name: &str| patch.text_at("operation.path").rsplit('/').next() == Some(name);
    let (_, open, cure) = [POLICY, FLAG].into_iter().find(|(name, open, _)| sets(name) && value.is(open))?;
    Some(document.error(&format!("spec.jsonPatches[{at}].operation.value"), format!("{open}, {WHY}; {cure}")))
}
