//! Patches that put our filter among the others in a way that costs requests which are none of its own.

use super::{super::document::Tree, finding::Finding, given::Given, patch::Patch};

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    let is_switched_on = given.patches.routes().next().is_some();
    let awake = given.patches.filters().filter(|_| is_switched_on).filter_map(awake);
    awake.chain(given.patches.filters().flat_map(denying)).collect()
}

fn awake(patch: &Patch) -> Option<Finding> {
    let sleeps = patch.value().get("disabled").is_some_and(|value| value.is("true"));
    let what = "expected true, since routes switch the filter on: every other request enters it too";
    (!sleeps).then(|| patch.document.warning(&patch.field("disabled"), what))
}

/// Where the image can't be fetched, Istio's agent sends a filter that denies all, if its type is among those listed.
fn denying(patch: &Patch) -> Vec<Finding> {
    let types = patch.value().field("config_discovery").and_then(|discovery| discovery.field("type_urls"));
    let types = types.map(Tree::elements).unwrap_or_default().iter().enumerate();
    let denying = types.filter(|(_, name)| name.text().is_some_and(|name| name.contains(".filters.http.rbac.")));
    denying.map(|(at, _)| deny(patch, at)).collect()
}

fn deny(patch: &Patch, at: usize) -> Finding {
    let what = "RBAC, so that an image which can't be fetched turns logins of a running gateway into 403; leave it out";
    patch.document.warning(&patch.field(&format!("config_discovery.type_urls[{at}]")), what)
}
