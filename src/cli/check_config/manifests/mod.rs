//! What is wrong with Istio's and Envoy Gateway's manifests themselves, however good the configuration in them is.

mod any_type;
mod document;
mod failing_open;
mod fetched_keys;
mod filters;
mod finding;
mod given;
mod holder;
mod inline_keys;
mod patch;
mod path_gaps;
mod phase;
mod plugin;
mod routes;
mod stopping;
mod virtual_hosts;

pub use self::finding::{Finding, Severity};
use self::given::Given;
use super::document::Tree;

type Rule = fn(&Given) -> Vec<Finding>;

/// All that is looked for.
const RULES: [Rule; 11] = [
    failing_open::check,
    phase::check,
    holder::check,
    stopping::check,
    any_type::check,
    routes::check,
    inline_keys::check,
    virtual_hosts::check,
    filters::check,
    path_gaps::check,
    fetched_keys::check,
];

/// Kinds that say something by themselves, without a plugin beside them.
const CHECKED_ALONE: [&str; 4] = ["AuthorizationPolicy", "EnvoyFilter", "RequestAuthentication", "SecurityPolicy"];

/// All findings in files: what is wrong first, then what may not be meant.
pub(crate) fn check(files: &[Tree]) -> Vec<Finding> {
    let given = Given::new(files);
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(&given)).collect();
    findings.sort_by_key(|finding| (finding.severity, finding.file));
    findings
}

/// The documents that say something by themselves, as `kind/name`.
pub(crate) fn checked_alone(files: &[Tree]) -> Vec<String> {
    let documents = document::all(files).into_iter();
    documents.filter(|document| CHECKED_ALONE.contains(&document.kind())).map(|document| document.label()).collect()
}
