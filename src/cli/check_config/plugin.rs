//! Finds the token endpoint in the documents that Envoy, Istio and Envoy Gateway are configured with.

use std::{borrow::Cow, collections::HashMap, env};

use super::document::Tree;

/// A token endpoint as a document configures it.
pub struct Plugin {
    /// Where it is in the document.
    pub path: String,
    /// The configuration that the VM is given, or what is wrong with how it is written.
    pub configuration: Result<String, &'static str>,
    environment: Environment,
    is_ours: bool,
}

#[derive(PartialEq)]
enum Environment {
    /// The variables that the document gives to the VM.
    Given(HashMap<String, String>),
    /// A plugin's configuration alone does not say: all that this process has.
    Own,
}

impl Plugin {
    /// A variable in the VM's environment.
    pub fn variable(&self, name: &str) -> Option<String> {
        match &self.environment {
            Environment::Given(variables) => variables.get(name).cloned(),
            Environment::Own => env::var(name).ok(),
        }
    }
}

/// The token endpoints in a document; one that is none of theirs is a token endpoint's configuration itself.
pub fn find(document: &Tree) -> Result<Vec<Plugin>, String> {
    let mut plugins = Vec::new();
    walk(document, "", &mut plugins);
    match plugins.as_slice() {
        [] if is_for_others(document) => {
            Err("no wasm HTTP filter, WasmPlugin or EnvoyExtensionPolicy in it".to_owned())
        }
        [] => Ok(vec![bare(document)]),
        [_] => Ok(plugins),
        _ => ours(plugins),
    }
}

/// Fields that only the documents of Envoy and Kubernetes have.
fn is_for_others(document: &Tree) -> bool {
    let fields = ["static_resources", "dynamic_resources", "resources", "filter_chains", "apiVersion"];
    let is = |document: &Tree| fields.iter().any(|name| document.get(name).is_some());
    is(document) || document.elements().iter().any(is)
}

fn bare(document: &Tree) -> Plugin {
    let configuration = Ok(document.to_json());
    Plugin { path: String::new(), configuration, environment: Environment::Own, is_ours: true }
}

/// The same filter is often there twice, by an alias: it is told once.
fn ours(plugins: Vec<Plugin>) -> Result<Vec<Plugin>, String> {
    let mut ours: Vec<Plugin> = Vec::new();
    for plugin in plugins.into_iter().filter(|plugin| plugin.is_ours) {
        if !ours.iter().any(|known| is_same(known, &plugin)) {
            ours.push(plugin);
        }
    }
    let none = "several wasm filters in it, and none of them has a wasm file named token_endpoint";
    if ours.is_empty() { Err(none.to_owned()) } else { Ok(ours) }
}

fn is_same(one: &Plugin, other: &Plugin) -> bool {
    one.configuration == other.configuration && one.environment == other.environment
}

fn walk(tree: &Tree, path: &str, found: &mut Vec<Plugin>) {
    found.extend(envoy_filter(tree, path).or_else(|| istio_plugin(tree, path)));
    found.extend(envoy_gateway_plugins(tree, path));
    for (name, child) in tree.fields() {
        walk(child, &inside(path, name), found);
    }
    for (index, child) in tree.elements().iter().enumerate() {
        walk(child, &format!("{path}[{index}]"), found);
    }
}

fn inside(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// An `envoy.extensions.filters.http.wasm.v3.Wasm`.
fn envoy_filter(tree: &Tree, path: &str) -> Option<Plugin> {
    type_name(tree).filter(|name| *name == "envoy.extensions.filters.http.wasm.v3.Wasm")?;
    let config = tree.get("config").unwrap_or(&Tree::Null);
    let vm = field(config, "vm_config").unwrap_or(&Tree::Null);
    let variables = field(vm, "environment_variables").map(given_by_envoy).unwrap_or_default();
    let files = [vm.at("code.local.filename"), vm.get("code").and_then(remote)];
    Some(Plugin {
        path: format!("{path}.config.configuration"),
        configuration: field(config, "configuration").map_or_else(|| Ok(String::new()), payload),
        environment: Environment::Given(variables),
        is_ours: files.into_iter().flatten().any(is_our_file),
    })
}

fn remote(code: &Tree) -> Option<&Tree> {
    field(code.get("remote")?, "http_uri")?.get("uri")
}

/// What Envoy hands to the VM: a `Struct` as JSON, a `StringValue` as it is.
fn payload(any: &Tree) -> Result<String, &'static str> {
    match (type_name(any), any.get("value")) {
        (Some("google.protobuf.Struct"), Some(value)) => Ok(value.to_json()),
        (Some("google.protobuf.StringValue"), Some(Tree::Text(text))) => Ok(text.clone()),
        _ => Err("expected a google.protobuf.Struct or a google.protobuf.StringValue with its value"),
    }
}

fn given_by_envoy(variables: &Tree) -> HashMap<String, String> {
    let from_host = field(variables, "host_env_keys").map(Tree::elements).unwrap_or_default();
    let from_host = from_host.iter().filter_map(Tree::text).filter_map(|name| Some((name, env::var(name).ok()?)));
    let written = field(variables, "key_values").map(Tree::fields).unwrap_or_default();
    let written = written.iter().filter_map(|(name, value)| Some((name.as_str(), value.text()?.to_owned())));
    from_host.chain(written).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Istio's `WasmPlugin`.
fn istio_plugin(tree: &Tree, path: &str) -> Option<Plugin> {
    tree.get("kind").filter(|kind| kind.text() == Some("WasmPlugin"))?;
    let spec = tree.get("spec")?;
    let variables = spec.at("vmConfig.env").map(Tree::elements).unwrap_or_default();
    Some(Plugin {
        path: inside(path, "spec.pluginConfig"),
        configuration: Ok(spec.get("pluginConfig").map(Tree::to_json).unwrap_or_default()),
        environment: Environment::Given(variables.iter().filter_map(given_by_istio).collect()),
        is_ours: spec.get("url").is_some_and(is_our_file),
    })
}

fn given_by_istio(variable: &Tree) -> Option<(String, String)> {
    let name = variable.get("name")?.text()?;
    let value = match variable.get("valueFrom").and_then(Tree::text) {
        Some("HOST") => env::var(name).ok()?,
        _ => variable.get("value")?.text()?.to_owned(),
    };
    Some((name.to_owned(), value))
}

/// Those of Envoy Gateway's `EnvoyExtensionPolicy`.
fn envoy_gateway_plugins(tree: &Tree, path: &str) -> Vec<Plugin> {
    let policy = tree.get("kind").is_some_and(|kind| kind.text() == Some("EnvoyExtensionPolicy"));
    let plugins = tree.at("spec.wasm").filter(|_| policy).map(Tree::elements).unwrap_or_default();
    let path = |index| inside(path, &format!("spec.wasm[{index}].config"));
    plugins.iter().enumerate().map(|(index, plugin)| envoy_gateway_plugin(plugin, path(index))).collect()
}

fn envoy_gateway_plugin(plugin: &Tree, path: String) -> Plugin {
    let names = plugin.at("env.hostKeys").map(Tree::elements).unwrap_or_default();
    let variables =
        names.iter().filter_map(Tree::text).filter_map(|name| Some((name.to_owned(), env::var(name).ok()?)));
    let files = [plugin.at("code.image.url"), plugin.at("code.http.url")];
    Plugin {
        path,
        configuration: Ok(plugin.get("config").map(Tree::to_json).unwrap_or_default()),
        environment: Environment::Given(variables.collect()),
        is_ours: files.into_iter().flatten().any(is_our_file),
    }
}

fn is_our_file(file: &Tree) -> bool {
    file.text().is_some_and(|file| file.contains("token_endpoint") || file.contains("token-endpoint"))
}

/// The message's name in a `google.protobuf.Any`.
fn type_name(any: &Tree) -> Option<&str> {
    any.get("@type")?.text()?.rsplit('/').next()
}

/// A field of a protobuf message, whose name may be written in either way.
fn field<'a>(message: &'a Tree, name: &str) -> Option<&'a Tree> {
    message.get(name).or_else(|| message.get(&camel_case(name)))
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_').map(Cow::from);
    let first = words.next().unwrap_or_default();
    words.fold(first.into_owned(), |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}
