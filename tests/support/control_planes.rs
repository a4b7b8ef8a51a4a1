//! What Istio and Envoy Gateway make of the manifests in Envoy's words, put into the demo in the place of its own filter.
//!
//! As in their sources: Istio's pilot/pkg/model/wasm.go, pilot/pkg/networking/core/extension/wasmplugin.go,
//! pilot/pkg/networking/core/envoyfilter and pkg/wasm/convert.go (1.31); Envoy Gateway's internal/xds/translator/wasm.go and httpfilters.go
//! (1.9). `make test-mesh` asks them.

use std::{cmp::Reverse, fs, path::Path};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{
    gateway::{self, Gateway, Keys},
    manifests::{document, documents, value},
};

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// A gateway as a control plane configures it.
pub struct Deployed {
    pub gateway: Gateway,
    /// Where Envoy finds the extensions, as long as it runs.
    pub extensions: TempDir,
}

/// What a control plane adds to a gateway.
#[derive(Default)]
pub struct Additions {
    filters: Vec<Value>,
    extensions: Vec<Value>,
    routes: Vec<Value>,
    listeners: Vec<Value>,
    clusters: Vec<Value>,
    /// Of the connection manager.
    fields: Map<String, Value>,
}

/// Istio with a folder's `wasm-plugin.yaml`: the filters come by discovery and stand on the whole chain, the greatest priority
/// first. `pacing.yaml` adds the pacing listener and its cluster.
pub fn istio_with_wasm_plugins(folder: &str) -> Additions {
    let additions = wasm_plugins(documents(&format!("istio/{folder}/wasm-plugin.yaml")));
    patches(&document(&format!("istio/{folder}/pacing.yaml"), "EnvoyFilter"), additions)
}

/// The same without the plugin that holds: a mistake.
pub fn istio_without_the_holder() -> Additions {
    let mut plugins = documents("istio/ingress-gateway/wasm-plugin.yaml");
    plugins.retain(|plugin| plugin["spec"]["pluginConfig"].get("hold").is_none());
    wasm_plugins(plugins)
}

fn wasm_plugins(mut plugins: Vec<Value>) -> Additions {
    plugins.sort_by_key(|plugin| Reverse(plugin["spec"]["priority"].as_i64()));
    let mut additions = Additions::default();
    for plugin in plugins {
        let name = format!("{}.{}", text(&plugin["metadata"]["namespace"]), text(&plugin["metadata"]["name"]));
        let resource = format!("extensions.istio.io/wasmplugin/{name}");
        let config = plugin_config(&name, &plugin["spec"]);
        additions.extensions.push(json!({"name": resource, "typed_config": {"@type": WASM, "config": config}}));
        additions.filters.push(json!({"name": resource, "config_discovery": {"type_urls": [WASM]}}));
    }
    additions
}

fn plugin_config(name: &str, spec: &Value) -> Value {
    let from_host = |variable: &&Value| variable["valueFrom"] == "HOST";
    let variables = spec["vmConfig"]["env"].as_array().into_iter().flatten();
    let variables: Vec<_> = variables.filter(from_host).map(|variable| &variable["name"]).collect();
    json!({
        "name": name,
        "configuration": string_value(&spec["pluginConfig"]),
        "failure_policy": spec["failStrategy"],
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": fetched(),
            "environment_variables": {
                "host_env_keys": variables,
                "key_values": {"ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": name},
            },
        },
    })
}

/// Istio with a folder's `envoy-filter.yaml`: what it says itself, but for where extensions come from and where their code is.
pub fn istio_with_envoy_filter(folder: &str) -> Additions {
    patches(&document(&format!("istio/{folder}/envoy-filter.yaml"), "EnvoyFilter"), Additions::default())
}

fn patches(filter: &Value, mut additions: Additions) -> Additions {
    for patch in filter["spec"]["configPatches"].as_array().unwrap() {
        let mut value = patch["patch"]["value"].clone();
        match (text(&patch["applyTo"]), text(&patch["patch"]["operation"])) {
            ("EXTENSION_CONFIG", "ADD") => {
                value["typed_config"]["config"]["vm_config"]["code"] = fetched();
                additions.extensions.push(value);
            }
            ("HTTP_FILTER", "INSERT_FIRST") => additions.filters.insert(0, value),
            ("NETWORK_FILTER", "MERGE") => additions.fields.extend(fields_of_manager(&value["typed_config"])),
            ("HTTP_ROUTE", "INSERT_FIRST") => additions.routes.insert(0, value),
            ("LISTENER", "ADD") => additions.listeners.push(value),
            ("CLUSTER", "ADD") => additions.clusters.push(value),
            other => panic!("{other:?}"),
        }
    }
    additions
}

/// Envoy Gateway with `envoy-extension-policy.yaml`: the filters sleep, and the routes of the HTTPRoute switch them on. The
/// EnvoyProxy's bootstrap has the pacing listener and its cluster.
pub fn envoy_gateway() -> Additions {
    let policy = document("gateway/envoy-extension-policy.yaml", "EnvoyExtensionPolicy");
    extension_policy(&policy)
}

/// Envoy Gateway with `envoy-patch-policy.yaml`: one filter, into which the patches put what the policy has no field for.
pub fn envoy_gateway_with_patches() -> Additions {
    let file = "gateway/envoy-patch-policy.yaml";
    let mut additions = extension_policy(&document(file, "EnvoyExtensionPolicy"));
    for patch in document(file, "EnvoyPatchPolicy")["spec"]["jsonPatches"].as_array().unwrap() {
        let operation = &patch["operation"];
        let filter = &mut additions.filters[0];
        assert!(text(&operation["jsonPath"]).contains(text(&filter["name"])), "{operation} is for another filter");
        let field = text(&operation["path"]).trim_start_matches('/');
        filter["typed_config"]["config"][field] = operation["value"].clone();
        // Envoy takes one of the two.
        filter["typed_config"]["config"].as_object_mut().unwrap().remove("fail_open");
    }
    additions
}

fn extension_policy(policy: &Value) -> Additions {
    let plugins = policy["spec"]["wasm"].as_array().unwrap().iter().enumerate();
    let filters: Vec<_> = plugins.map(|(index, plugin)| extension_policy_filter(index, plugin)).collect();
    let switched_on = json!({"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}});
    let switched_on: Value =
        filters.iter().map(|filter| (text(&filter["name"]).to_owned(), switched_on.clone())).collect();
    let status = &document("gateway/routes.yaml", "HTTPRouteFilter")["spec"]["directResponse"]["statusCode"];
    let matches = document("gateway/routes.yaml", "HTTPRoute")["spec"]["rules"][0]["matches"].clone();
    let route = |rule: &Value| {
        assert_eq!(rule["path"]["type"], "Exact");
        json!({"match": {"path": rule["path"]["value"]}, "direct_response": {"status": status}, "typed_per_filter_config": switched_on})
    };
    let routes = matches.as_array().unwrap().iter().map(route).collect();
    let bootstrap = document("gateway/envoy-proxy.yaml", "EnvoyProxy")["spec"]["bootstrap"]["value"].clone();
    let bootstrap = value(text(&bootstrap), Path::new("bootstrap.yaml"));
    let [listeners, clusters] = ["listeners", "clusters"].map(|name| list(&bootstrap["static_resources"][name]));
    Additions { filters, routes, listeners, clusters, ..Additions::default() }
}

fn extension_policy_filter(index: usize, plugin: &Value) -> Value {
    let name = format!("envoyextensionpolicy/default/token-endpoint/wasm/{index}");
    let vm_config = json!({
        "vm_id": name,
        "runtime": "envoy.wasm.runtime.v8",
        "code": fetched(),
        "environment_variables": {"host_env_keys": plugin["env"]["hostKeys"].as_array().cloned().unwrap_or_default()},
    });
    let config = json!({
        "name": plugin["name"], "configuration": string_value(&plugin["config"]), "vm_config": vm_config, "fail_open": false,
    });
    json!({
        "name": format!("envoy.filters.http.wasm/{name}"), "disabled": true, "typed_config": {"@type": WASM, "config": config},
    })
}

fn string_value(config: &Value) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": config.to_string()})
}

/// The image's file, where the control plane has put it.
fn fetched() -> Value {
    json!({"local": {"filename": "token_endpoint.wasm"}})
}

/// Puts these in the place of those of the same name.
fn replace(resources: &mut Value, others: &[Value]) {
    let resources = resources.as_array_mut().unwrap();
    resources.retain(|resource| !others.iter().any(|other| other["name"] == resource["name"]));
    resources.extend_from_slice(others);
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

impl Additions {
    /// Runs the demo with this instead of its own token endpoint. All paths that nobody else takes go to the service, which
    /// tells what credentials it saw.
    pub fn deploy(mut self) -> Deployed {
        let folder = TempDir::new().unwrap();
        self.discover(folder.path());
        let mut demo = value(&gateway::demo(), Path::new("envoy.yaml"));
        demo["node"] = json!({"id": "gateway", "cluster": "gateway"});
        for name in ["gateway", "jwks"] {
            self.add_to(&mut connection_manager(&mut demo, name)["typed_config"]);
        }
        tell_credentials(&mut connection_manager(&mut demo, "api")["typed_config"]);
        replace(&mut demo["static_resources"]["listeners"], &self.listeners);
        replace(&mut demo["static_resources"]["clusters"], &self.clusters);
        Deployed { gateway: Gateway::start_with(&demo.to_string(), Keys::of_this_run()), extensions: folder }
    }

    /// Has Envoy find in files what a control plane sends: each filter's extension in one of its own.
    fn discover(&mut self, folder: &Path) {
        for (index, filter) in self.filters.iter_mut().enumerate() {
            let Some(discovery) = filter.get("config_discovery").is_some().then(|| filter["name"].clone()) else {
                continue;
            };
            let mut extension =
                self.extensions.iter().find(|extension| extension["name"] == discovery).unwrap().clone();
            extension["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
            let file = folder.join(format!("{index}.json"));
            fs::write(&file, json!({"resources": [extension]}).to_string()).unwrap();
            filter["config_discovery"]["config_source"] =
                json!({"path_config_source": {"path": file}, "initial_fetch_timeout": "0s"});
        }
    }

    fn add_to(&self, manager: &mut Value) {
        let filters = manager["http_filters"].as_array_mut().unwrap();
        filters.retain(|filter| filter["name"] != "token_endpoint");
        filters.splice(0..0, self.filters.clone());
        let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
        routes.retain(|route| route.get("direct_response").is_none());
        routes.splice(0..0, self.routes.clone());
        routes.push(json!({"match": {"prefix": "/"}, "route": {"cluster": "api"}}));
        manager.as_object_mut().unwrap().extend(self.fields.clone());
    }
}

/// What is merged into a connection manager.
fn fields_of_manager(typed_config: &Value) -> Map<String, Value> {
    let mut fields = typed_config.as_object().unwrap().clone();
    assert!(text(&fields.remove("@type").unwrap()).ends_with(".HttpConnectionManager"));
    fields
}

fn connection_manager<'a>(demo: &'a mut Value, listener: &str) -> &'a mut Value {
    let listeners = demo["static_resources"]["listeners"].as_array_mut().unwrap();
    let listener = listeners.iter_mut().find(|candidate| candidate["name"] == listener).unwrap();
    &mut listener["filter_chains"][0]["filters"][0]
}

fn tell_credentials(manager: &mut Value) {
    let header = json!({"header": {"key": "x-credentials", "value": "%REQ(authorization)%"}, "keep_empty_value": true});
    let route = &mut manager["route_config"]["virtual_hosts"][0]["routes"][0];
    route["response_headers_to_add"].as_array_mut().unwrap().push(header);
}
