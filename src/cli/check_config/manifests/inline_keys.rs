//! Keys that are written in a manifest, which the API server and the proxies' `/config_dump` show.

use std::collections::HashSet;

use super::{
    super::{
        document::{Tree, inside},
        wasm::Form,
    },
    document::Document,
    finding::Finding,
    given::Given,
    plugin::ManifestPlugin,
};

const SHOWN: &str = "a secret that is written here, which the API server and /config_dump show";

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    let names: HashSet<String> = given.plugins.iter().flat_map(variables).collect();
    let manifests = || given.plugins.iter().filter(|plugin| !plugin.document.kind().is_empty());
    let variables = manifests().flat_map(|plugin| given_by_document(plugin, &names));
    let workloads = given.documents.iter().flat_map(|document| of_workload(*document, &names));
    manifests().flat_map(of_configuration).chain(variables).chain(workloads).collect()
}

/// The variables that a configuration takes secrets from.
fn variables(plugin: &ManifestPlugin) -> Vec<String> {
    let mut names = Vec::new();
    plugin.configuration.walk("", &mut |_, tree| names.extend(tree.get("env").and_then(Tree::text).map(str::to_owned)));
    names
}

fn of_configuration(plugin: &ManifestPlugin) -> Vec<Finding> {
    let mut paths = Vec::new();
    plugin.configuration.walk("", &mut |path, tree| {
        paths.extend(tree.text().filter(|_| is_of_secret(path)).map(|_| path.to_owned()));
    });
    let told = |path: &String| plugin.document.error(&plugin.setting(path), format!("{SHOWN}; take {{env: NAME}}"));
    paths.iter().map(told).collect()
}

/// Whether a secret is at a path of the configuration.
fn is_of_secret(path: &str) -> bool {
    let names: Vec<_> = path.split('.').map(|name| name.split('[').next().unwrap_or_default()).collect();
    let credentials = match names.as_slice() {
        ["signing_keys", "private_key"] | ["refresh_token_keys"] | ["refresh_token_keys", "key"] => return true,
        ["auth_sources", _, "authorization", credentials @ ..] => credentials,
        ["state", "etcd", "authorization", credentials @ ..] => credentials,
        _ => return false,
    };
    matches!(credentials, ["bearer"] | ["basic", "password"])
}

/// Variables of secrets whose values the plugin's own fields have.
fn given_by_document(plugin: &ManifestPlugin, names: &HashSet<String>) -> Vec<Finding> {
    match plugin.wasm.form {
        Form::Filter => key_values(plugin, names),
        Form::WasmPlugin => {
            let paths = written(plugin.wasm.fields, &plugin.wasm.path, names).into_iter();
            paths.map(|path| plugin.document.error(&path, format!("{SHOWN}; take valueFrom: HOST"))).collect()
        }
        Form::ExtensionPolicy => Vec::new(),
    }
}

fn key_values(plugin: &ManifestPlugin, names: &HashSet<String>) -> Vec<Finding> {
    let variables = plugin.wasm.fields.field("vm_config").and_then(|vm| vm.field("environment_variables"));
    let values = variables.and_then(|variables| variables.field("key_values")).map(Tree::fields).unwrap_or_default();
    let path = |name| plugin.path(&format!("vm_config.environment_variables.key_values.{name}"));
    let told = |name| plugin.document.error(&path(name), format!("{SHOWN}; take host_env_keys"));
    values.iter().map(|(name, _)| name).filter(|name| names.contains(*name)).map(told).collect()
}

/// Variables of secrets in the containers that proxies run in.
fn of_workload(document: Document, names: &HashSet<String>) -> Vec<Finding> {
    if document.kind() == "WasmPlugin" {
        return Vec::new();
    }
    let what = "a secret that is written here, which the API server shows; take valueFrom and a Secret";
    let paths = written(document.tree, "", names).into_iter();
    paths.map(|path| document.error(&path, what)).collect()
}

/// Where variables with one of the names have a value.
fn written(tree: &Tree, path: &str, names: &HashSet<String>) -> Vec<String> {
    let mut paths = Vec::new();
    tree.walk(path, &mut |path, tree| {
        let is_variable = path.rsplit('.').next().is_some_and(|last| last.starts_with("env["));
        let is_written = is_variable && names.contains(tree.text_at("name")) && tree.get("value").is_some();
        if is_written && tree.text_at("valueFrom") != "HOST" {
            paths.push(inside(path, "value"));
        }
    });
    paths
}
