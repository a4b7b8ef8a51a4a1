//! The wasm plugins in the documents that Envoy, Istio and Envoy Gateway are configured with.

use std::{collections::HashMap, env};

use super::document::{Tree, inside};

/// A wasm plugin as a document has it.
pub(crate) struct Wasm<'a> {
    /// What kind of document has it.
    pub(crate) form: Form,
    /// Where its fields are in the document.
    pub(crate) path: String,
    /// Its fields.
    pub(crate) fields: &'a Tree,
}

/// Who reads the document.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// Envoy: an `envoy.extensions.filters.http.wasm.v3.Wasm`, which Istio's `EnvoyFilter` may have in it.
    Filter,
    /// Istio: a `WasmPlugin`.
    WasmPlugin,
    /// Envoy Gateway: one of an `EnvoyExtensionPolicy`.
    ExtensionPolicy,
}

impl Form {
    /// The field with the configuration.
    fn configuration(self) -> &'static str {
        match self {
            Self::Filter => "configuration",
            Self::WasmPlugin => "pluginConfig",
            Self::ExtensionPolicy => "config",
        }
    }

    /// The fields that may say which image or file it is.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Filter => &["code.local.filename", "code.remote.http_uri.uri", "code.remote.httpUri.uri"],
            Self::WasmPlugin => &["url"],
            Self::ExtensionPolicy => &["code.image.url", "code.http.url"],
        }
    }
}

/// All in a document.
pub(crate) fn find(document: &Tree) -> Vec<Wasm<'_>> {
    let mut found = Vec::new();
    document.walk("", &mut |path, tree| found.extend(at(path, tree)));
    found
}

fn at<'a>(path: &str, tree: &'a Tree) -> Vec<Wasm<'a>> {
    match tree.text_at("kind") {
        "WasmPlugin" => one(Form::WasmPlugin, inside(path, "spec"), tree.get("spec")),
        "EnvoyExtensionPolicy" => listed(&inside(path, "spec.wasm"), tree.list("spec.wasm")),
        _ if tree.type_name() == Some("envoy.extensions.filters.http.wasm.v3.Wasm") => {
            one(Form::Filter, inside(path, "config"), tree.get("config"))
        }
        _ => Vec::new(),
    }
}

fn one(form: Form, path: String, fields: Option<&Tree>) -> Vec<Wasm<'_>> {
    fields.map(|fields| Wasm { form, path, fields }).into_iter().collect()
}

fn listed<'a>(path: &str, list: &'a [Tree]) -> Vec<Wasm<'a>> {
    list.iter()
        .enumerate()
        .map(|(index, fields)| Wasm { form: Form::ExtensionPolicy, path: format!("{path}[{index}]"), fields })
        .collect()
}

impl Wasm<'_> {
    /// Where its configuration is in the document.
    pub(crate) fn configuration_path(&self) -> String {
        inside(&self.path, self.form.configuration())
    }

    /// The configuration that the VM is given, or what is wrong with how it is written.
    pub(crate) fn configuration(&self) -> Result<String, &'static str> {
        let configuration = self.fields.get(self.form.configuration());
        match self.form {
            Form::Filter => configuration.map_or_else(|| Ok(String::new()), payload),
            Form::WasmPlugin | Form::ExtensionPolicy => Ok(configuration.map(Tree::to_json).unwrap_or_default()),
        }
    }

    /// The variables that the document gives to the VM.
    pub(crate) fn environment(&self) -> HashMap<String, String> {
        match self.form {
            Form::Filter => self.vm().field("environment_variables").map(given_by_envoy).unwrap_or_default(),
            Form::WasmPlugin => self.fields.list("vmConfig.env").iter().filter_map(given_by_istio).collect(),
            Form::ExtensionPolicy => self.fields.list("env.hostKeys").iter().filter_map(from_host).collect(),
        }
    }

    /// Whether its image or file is named as ours is.
    pub(crate) fn has_our_name(&self) -> bool {
        let files = if self.form == Form::Filter { self.vm() } else { self.fields };
        let mut names = self.form.files().iter().filter_map(|path| files.at(path)?.text());
        names.any(is_our_name)
    }

    fn vm(&self) -> &Tree {
        self.fields.field("vm_config").unwrap_or(&Tree::Null)
    }
}

/// Whether an image, a file or a filter is named as ours is.
pub(crate) fn is_our_name(name: &str) -> bool {
    name.contains("token_endpoint") || name.contains("token-endpoint")
}

/// What Envoy hands to a filter: a `Struct` as JSON, a `StringValue` as it is.
pub(crate) fn payload(any: &Tree) -> Result<String, &'static str> {
    match (any.type_name(), any.get("value")) {
        (Some("google.protobuf.Struct"), Some(value)) => Ok(value.to_json()),
        (Some("google.protobuf.StringValue"), Some(Tree::Text(text))) => Ok(text.clone()),
        _ => Err("expected a google.protobuf.Struct or a google.protobuf.StringValue with its value"),
    }
}

fn given_by_envoy(variables: &Tree) -> HashMap<String, String> {
    let from_host = variables.field("host_env_keys").map(Tree::elements).unwrap_or_default().iter();
    let written = variables.field("key_values").map(Tree::fields).unwrap_or_default().iter();
    let written = written.filter_map(|(name, value)| Some((name.clone(), value.text()?.to_owned())));
    from_host.filter_map(self::from_host).chain(written).collect()
}

fn given_by_istio(variable: &Tree) -> Option<(String, String)> {
    match variable.text_at("valueFrom") {
        "HOST" => from_host(variable.get("name")?),
        _ => Some((variable.get("name")?.text()?.to_owned(), variable.get("value")?.text()?.to_owned())),
    }
}

fn from_host(name: &Tree) -> Option<(String, String)> {
    let name = name.text()?;
    Some((name.to_owned(), env::var(name).ok()?))
}
