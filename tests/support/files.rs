//! Parts of the demo's configuration in files of their own, which Envoy reads again when they change.

use super::gateway::{is_module, replaced};

/// The configuration without its listeners, and those as a file `listeners.yaml`.
pub fn split_listeners(yaml: &str) -> (String, String) {
    let (head, rest) = yaml.split_once("static_resources:\n  listeners:\n").unwrap();
    let (listeners, clusters) = rest.split_once("  clusters:\n").unwrap();
    let kind = "type.googleapis.com/envoy.config.listener.v3.Listener";
    let listeners = listeners.replace("\n  - name: ", &format!("\n  - \"@type\": {kind}\n    name: "));
    let listeners = replaced(
        &format!("\n{listeners}"),
        "\n  - name: gateway",
        &format!("\n  - \"@type\": {kind}\n    name: gateway"),
    );
    let bootstrap = format!(
        "{head}node: {{id: test, cluster: test}}\ndynamic_resources: {{lds_config: {{path_config_source: {{path: ./listeners.yaml}}}}}}\n\
         static_resources:\n  clusters:\n{clusters}"
    );
    (bootstrap, format!("resources:{listeners}"))
}

/// The configuration without its filter, and that as a file `filter.yaml`.
pub fn split_filter(yaml: &str) -> (String, String) {
    let start = "          - &token_endpoint\n            name: token_endpoint\n";
    let (head, rest) = yaml.split_once(start).unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let (filter, tail) = rest.split_once("          - name: envoy.filters.http.jwt_authn\n").unwrap();
    let kind = if is_module() { "dynamic_modules.v3.DynamicModuleFilter" } else { "wasm.v3.Wasm" };
    let kind = format!("type.googleapis.com/envoy.extensions.filters.http.{kind}");
    let discovery = format!(
        "{start}            disabled: true\n            config_discovery:\n              config_source: {{path_config_source: {{path: ./filter.yaml}}}}\n\
         \x20             type_urls: [{kind}]\n"
    );
    let bootstrap = format!("{head}{discovery}          - name: envoy.filters.http.jwt_authn\n{tail}");
    let extension = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
    let bootstrap = replaced(&bootstrap, "admin:\n", "node: {id: test, cluster: test}\nadmin:\n");
    (bootstrap, format!("resources:\n          - \"@type\": {extension}\n            name: token_endpoint\n{filter}"))
}
