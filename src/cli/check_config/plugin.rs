//! The token endpoints among the plugins that were given, each with what it can be checked by.

use std::{collections::HashMap, env};

use super::{
    document::Tree,
    dynamic_module::{self, DynamicModule},
    wasm::{self, Wasm},
};

/// A token endpoint as a document configures it.
pub(crate) struct PluginDocument {
    /// The number of the file that it is in.
    pub(crate) file: usize,
    /// Where it is in the file.
    pub(crate) path: String,
    /// The configuration that the VM is given, or what is wrong with how it is written.
    pub(crate) configuration: Result<String, &'static str>,
    environment: EnvironmentSource,
    is_ours: bool,
}

#[derive(PartialEq)]
enum EnvironmentSource {
    /// The variables that the document gives to the VM.
    Given(HashMap<String, String>),
    /// All that this process has: a dynamic module sees what Envoy does, and a plugin's configuration alone does not say.
    Own,
}

impl PluginDocument {
    /// A variable in the VM's environment.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        match &self.environment {
            EnvironmentSource::Given(variables) => variables.get(name).cloned(),
            EnvironmentSource::Own => env::var(name).ok(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.file == other.file && self.configuration == other.configuration && self.environment == other.environment
    }
}

/// The token endpoints in files; one that is a document of neither Envoy nor Kubernetes is a token endpoint's own
/// configuration.
pub(crate) fn find(files: &[Tree]) -> Result<Vec<PluginDocument>, &'static str> {
    let plugins: Vec<_> = files.iter().enumerate().flat_map(|(file, tree)| inside(file, tree)).collect();
    if plugins.len() > 1 { ours(plugins) } else { Ok(plugins) }
}

fn inside(file: usize, tree: &Tree) -> Vec<PluginDocument> {
    let modules = dynamic_module::find(tree);
    let modules = modules.iter().map(|module| native(file, module));
    let plugins: Vec<_> = wasm::find(tree).iter().map(|wasm| wrapped(file, wasm)).chain(modules).collect();
    if plugins.is_empty() && !is_for_others(tree) { vec![bare(file, tree)] } else { plugins }
}

/// Fields that only the documents of Envoy and Kubernetes have.
fn is_for_others(document: &Tree) -> bool {
    let fields = ["static_resources", "dynamic_resources", "resources", "filter_chains", "apiVersion"];
    let is = |document: &Tree| fields.iter().any(|name| document.get(name).is_some());
    is(document) || document.elements().iter().any(is)
}

fn bare(file: usize, document: &Tree) -> PluginDocument {
    let configuration = Ok(document.to_json());
    PluginDocument { file, path: String::new(), configuration, environment: EnvironmentSource::Own, is_ours: true }
}

fn wrapped(file: usize, wasm: &Wasm) -> PluginDocument {
    PluginDocument {
        file,
        path: wasm.configuration_path(),
        configuration: wasm.configuration(),
        environment: EnvironmentSource::Given(wasm.environment()),
        is_ours: wasm.has_our_name(),
    }
}

fn native(file: usize, module: &DynamicModule) -> PluginDocument {
    PluginDocument {
        file,
        path: module.configuration_path(),
        configuration: module.configuration(),
        environment: EnvironmentSource::Own,
        is_ours: module.has_our_name(),
    }
}

/// The same filter is often there twice, by an alias: it is told once.
fn ours(plugins: Vec<PluginDocument>) -> Result<Vec<PluginDocument>, &'static str> {
    let mut ours: Vec<PluginDocument> = Vec::new();
    for plugin in plugins.into_iter().filter(|plugin| plugin.is_ours) {
        if !ours.iter().any(|known| known.is_same(&plugin)) {
            ours.push(plugin);
        }
    }
    let none = "several filters in it, and none of them has a wasm file or a module named token_endpoint";
    if ours.is_empty() { Err(none) } else { Ok(ours) }
}
