//! Policies on paths that other spellings of a path get around.

use super::{super::document::Tree, document::Document, finding::Finding, given::Given};

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    let decodes = given.documents.iter().any(|document| is_decoded(*document));
    let denying = given.of_kind("AuthorizationPolicy").filter(|policy| policy.tree.text_at("spec.action") == "DENY");
    denying.flat_map(|policy| of_policy(policy, decodes)).collect()
}

fn of_policy(policy: Document, decodes: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    policy.tree.walk("", &mut |path, tree| {
        found.extend(named(policy, path, tree));
        found.extend(excepted(policy, path, tree).filter(|_| !decodes));
    });
    found
}

fn named(policy: Document, path: &str, operation: &Tree) -> Option<Finding> {
    let what = "other spellings stay open: of /api/x, //api/x, /api%2fx, /API/x and /api;a=b/x; take notPaths, with \
                what is public";
    let is_operation = path.ends_with(".operation") && !operation.list("paths").is_empty();
    is_operation.then(|| policy.warning(&format!("{path}.paths"), what))
}

fn excepted(policy: Document, path: &str, operation: &Tree) -> impl Iterator<Item = Finding> {
    let what = "a * lets through what leaves the prefix: of /public/*, /public/..%2fapi/x; name public paths exactly, \
                or set the mesh's pathNormalization to DECODE_AND_MERGE_SLASHES";
    let is_wild = |path: &Tree| path.text().is_some_and(|path| path.contains('*'));
    let paths = if path.ends_with(".operation") { operation.list("notPaths") } else { &[] };
    let at = paths.iter().position(is_wild);
    at.map(|at| policy.warning(&format!("{path}.notPaths[{at}]"), what)).into_iter()
}

/// Whether a document makes proxies decode or refuse escaped slashes: the mesh's configuration, in whatever wraps it,
/// or an `EnvoyFilter`.
fn is_decoded(document: Document) -> bool {
    let mut decodes = false;
    document.tree.walk("", &mut |_, tree| {
        let action = tree.field("path_with_escaped_slashes_action");
        let safe = ["REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"];
        decodes |= action.is_some_and(|action| safe.iter().any(|safe| action.is(safe)));
        decodes |= tree.text().is_some_and(|text| text.lines().any(is_setting));
    });
    decodes
}

fn is_setting(line: &str) -> bool {
    !line.trim_start().starts_with('#') && line.contains("DECODE_AND_MERGE_SLASHES")
}
