//! Phases in which Istio's own filters answer first.

use super::{super::wasm::Form, finding::Finding, given::Given, plugin::ManifestPlugin};

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    given.plugins.iter().filter(|plugin| plugin.wasm.form == Form::WasmPlugin).filter_map(of_plugin).collect()
}

fn of_plugin(plugin: &ManifestPlugin) -> Option<Finding> {
    let what = match plugin.wasm.fields.text_at("phase") {
        "" => "missing, so that jwt and RBAC answer first, with 401 or 403; take AUTHN",
        phase if is_early(phase) => return None,
        _ => "expected AUTHN or AUTHZ, since in any other phase jwt and RBAC answer first, with 401 or 403",
    };
    Some(plugin.document.error(&plugin.path("phase"), what))
}

/// Whether it comes before jwt and RBAC.
pub(crate) fn is_early(phase: &str) -> bool {
    ["AUTHN", "AUTHZ"].contains(&phase)
}
