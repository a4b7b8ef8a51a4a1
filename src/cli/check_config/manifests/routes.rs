//! Routes that switch our filter on and have somewhere to go without it.

use super::{finding::Finding, given::Given, patch::Patch};

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    let leaks = |patch: &&Patch| patch.value().field("direct_response").is_none();
    given.patches.routes().filter(leaks).map(leak).collect()
}

fn leak(patch: &Patch) -> Finding {
    let what = "missing, so that passwords go to the service where the filter is not there; take {status: 404}";
    patch.document.error(&patch.field("direct_response"), what)
}
