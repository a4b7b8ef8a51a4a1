//! Public keys that are fetched from the gateway itself, which is not there yet when they are asked for.

use url::Url;

use super::{super::document::Tree, document::Document, finding::Finding, given::Given};

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    let istio = given.of_kind("RequestAuthentication").flat_map(|document| of(document, &ISTIO, given));
    let envoy_gateway = given.of_kind("SecurityPolicy").flat_map(|document| of(document, &ENVOY_GATEWAY, given));
    istio.chain(envoy_gateway).collect()
}

/// Where a kind has its rules, where a rule has the URL, and what is wrong with the issuer's own host there.
struct CheckedKind {
    rules: &'static str,
    url: &'static str,
    what: &'static str,
}

const ISTIO: CheckedKind = CheckedKind {
    rules: "spec.jwtRules",
    url: "jwksUri",
    what: "the issuer's own host: istiod asks it for 5s at most, and where it is not up or not trusted by then, every \
           token is 401; take jwks, with what `token-endpoint jwks` prints",
};
const ENVOY_GATEWAY: CheckedKind = CheckedKind {
    rules: "spec.jwt.providers",
    url: "remoteJWKS.uri",
    what: "the issuer's own host: proxies ask it through the load balancer, and where that fails, every token is 401; \
           take the host of their own Service, or localJWKS",
};

fn of(document: Document, kind: &CheckedKind, given: &Given) -> Vec<Finding> {
    let rules = document.tree.list(kind.rules).iter().enumerate();
    let fetching = rules.filter(|(_, rule)| is_about_us(rule, given) && is_own_host(rule, kind));
    fetching.map(|(at, _)| document.warning(&format!("{}[{at}].{}", kind.rules, kind.url), kind.what)).collect()
}

/// Whether its issuer is one of the token endpoints that were given, or none was.
fn is_about_us(rule: &Tree, given: &Given) -> bool {
    let mut issuers = given.plugins.iter().map(|plugin| plugin.configuration.text_at("issuer")).peekable();
    issuers.peek().is_none() || issuers.any(|issuer| issuer == rule.text_at("issuer"))
}

fn is_own_host(rule: &Tree, kind: &CheckedKind) -> bool {
    let host = |path| Url::parse(rule.text_at(path)).ok().and_then(|url| url.host_str().map(str::to_owned));
    host("issuer").is_some_and(|issuer| host(kind.url) == Some(issuer))
}
