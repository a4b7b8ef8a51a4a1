//! Messages without their type in an `EnvoyFilter`: Istio refuses them, or drops their patch without a word.

use super::{
    super::document::{Tree, inside},
    finding::Finding,
    given::Given,
    patch::Patch,
};

const DROPPED: &str = "missing: Istio's webhook refuses it, and without the webhook istiod drops the patch silently, \
                       so that passwords go to the service";
const CURE: &str = "take is_optional: true, and type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm here";

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    given.patches.all.iter().flat_map(of_patch).collect()
}

fn of_patch(patch: &Patch) -> Vec<Finding> {
    let mut found = Vec::new();
    patch.value().walk(&inside(&patch.path, "patch.value"), &mut |path, tree| found.extend(untyped(path, tree)));
    found.into_iter().map(|(path, what)| patch.document.error(&inside(&path, "\"@type\""), what)).collect()
}

/// The messages without their type that an object has.
fn untyped(path: &str, object: &Tree) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if object.field("typed_config").is_some_and(is_untyped) {
        found.push((inside(path, "typed_config"), DROPPED.to_owned()));
    }
    for (name, any) in object.field("typed_per_filter_config").map(Tree::fields).unwrap_or_default() {
        let path = inside(path, &format!("typed_per_filter_config.{name}"));
        if is_untyped(any) {
            found.push((path, DROPPED.to_owned()));
        } else if any.get("config").is_some_and(is_untyped) {
            found.push((inside(&path, "config"), format!("{DROPPED}; {CURE}")));
        }
    }
    found
}

/// Null is no message at all.
fn is_untyped(any: &Tree) -> bool {
    !matches!(any, Tree::Null) && any.type_name().is_none()
}
