//! Routes for a virtual host that no listener has: Istio would insert them nowhere.

use super::{super::document::Tree, document::Document, finding::Finding, given::Given, patch::Patch};

const NOWHERE: &str = "the route is inserted nowhere, and passwords go to the service";
const TAKE_LISTENER: &str = "take host:port of one";
const TAKE_PORT: &str = "take inbound|http| and the port of the Service, not of the pod";
const SIDECAR: &str = "inbound|http|";

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    given.patches.routes().filter_map(|patch| of_route(patch, given)).collect()
}

fn of_route(patch: &Patch, given: &Given) -> Option<Finding> {
    let host = patch.tree.at("match.routeConfiguration.vhost.name")?.text()?;
    let what = match patch.tree.text_at("match.context") {
        "SIDECAR_INBOUND" => nowhere(host, &services(patch, given), has_port, "port", TAKE_PORT),
        "SIDECAR_OUTBOUND" => None,
        _ => nowhere(host, &gateways(patch, given), has_host, "listener", TAKE_LISTENER),
    };
    what.map(|what| patch.document.error(&format!("{}.match.routeConfiguration.vhost.name", patch.path), what))
}

/// What is wrong, where documents that could have the virtual host are there and none has it.
fn nowhere(host: &str, documents: &[Document], has: fn(&Tree, &str) -> bool, part: &str, cure: &str) -> Option<String> {
    let names: Vec<_> = documents.iter().map(Document::label).collect();
    let is_there = names.is_empty() || documents.iter().any(|document| has(document.tree, host));
    (!is_there).then(|| format!("no {part} of {} is of this virtual host: {NOWHERE}; {cure}", names.join(", ")))
}

/// The services of the workload in whose sidecar the route is.
fn services<'a>(patch: &Patch, given: &Given<'a>) -> Vec<Document<'a>> {
    let labels = patch.document.tree.at("spec.workloadSelector.labels").unwrap_or(&Tree::Null);
    let selects = |service: &Document| service.tree.at("spec.selector").is_some_and(|selector| agree(selector, labels));
    let services = given.of_kind("Service").filter(|service| service.may_be_beside(&patch.document));
    services.filter(selects).collect()
}

fn has_port(service: &Tree, host: &str) -> bool {
    let is_of = |port: &Tree| host.strip_prefix(SIDECAR).is_some_and(|number| is(port, "port", number));
    service.list("spec.ports").iter().any(is_of)
}

/// The gateways that the route can be for: Istio's own by their labels, those of the Gateway API by name.
fn gateways<'a>(patch: &Patch, given: &Given<'a>) -> Vec<Document<'a>> {
    let spec = patch.document.tree.get("spec").unwrap_or(&Tree::Null);
    let labels = spec.at("workloadSelector.labels");
    let targets: Vec<_> =
        spec.list("targetRefs").iter().chain(spec.get("targetRef")).map(|target| target.text_at("name")).collect();
    let is_meant = |gateway: &Document| match (gateway.tree.at("spec.selector"), targets.as_slice()) {
        (Some(selector), []) => labels.is_none_or(|labels| agree(selector, labels)),
        (None, []) => labels.is_none_or(|labels| labels.get(GATEWAY_LABEL).is_some_and(|name| name.is(gateway.name()))),
        (_, targets) => targets.contains(&gateway.name()),
    };
    given.of_kind("Gateway").filter(is_meant).collect()
}

const GATEWAY_LABEL: &str = "gateway.networking.k8s.io/gateway-name";

fn has_host(gateway: &Tree, host: &str) -> bool {
    let Some((host, port)) = host.rsplit_once(':') else { return false };
    let servers = gateway.list("spec.servers").iter();
    let mut istio = servers.filter(|server| server.get("port").is_some_and(|of| is(of, "number", port)));
    let mut api = gateway.list("spec.listeners").iter().filter(|listener| is(listener, "port", port));
    istio.any(|server| server.list("hosts").iter().filter_map(Tree::text).any(|pattern| covers(pattern, host)))
        || api.any(|listener| listener.get("hostname").and_then(Tree::text).is_none_or(|pattern| covers(pattern, host)))
}

/// Whether a listener's host, with Istio's namespace before it or without, takes requests for this one.
fn covers(pattern: &str, host: &str) -> bool {
    let pattern = pattern.rsplit('/').next().unwrap_or_default();
    pattern == host || pattern.strip_prefix('*').is_some_and(|end| host.ends_with(end))
}

fn is(object: &Tree, field: &str, number: &str) -> bool {
    object.get(field).is_some_and(|value| value.is(number))
}

/// Whether two sets of labels can be of one workload: what both name is the same, and that is something.
fn agree(one: &Tree, other: &Tree) -> bool {
    let mut common = one.fields().iter().filter_map(|(name, value)| Some((value, other.get(name)?))).peekable();
    common.peek().is_some() && common.all(|(one, other)| one.to_json() == other.to_json())
}
