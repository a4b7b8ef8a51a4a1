//! `check-config`: what Envoy would say about a configuration, before it does.

mod document;
mod explain;
pub(super) mod plugin;
mod summary;
mod yaml;

use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use self::plugin::Plugin;
use super::{Output, failure::Failure, input};
use crate::config::{self, Role};

/// Check a configuration, and print all its problems as Envoy would log them
///
/// FILE is the plugin's configuration, or a document that has it in it: an Envoy bootstrap
/// or listener, an Istio WasmPlugin or an EnvoyExtensionPolicy of Envoy Gateway; as JSON or
/// as YAML, which is read by Envoy's rules.
/// In such a document, the filter that is checked is the one whose wasm file is named
/// token_endpoint, or the only one.
///
/// `{"env": "NAME"}` is looked up among the variables that the document gives to the VM,
/// and in this process's environment where the document says so (`host_env_keys`) or is
/// only a plugin's configuration.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLE)]
pub struct CheckConfig {
    /// JSON or YAML; - is standard input
    file: PathBuf,

    /// Tell what is sent to the directories outside and the state store, and what their answers mean
    #[arg(long)]
    explain: bool,
}

const EXAMPLE: &str = "\
Example:
  TOKEN_ENDPOINT_SIGNING_KEY=\"$(cat signing-key.pem)\" token-endpoint check-config envoy.yaml

It prints one problem a line, as `path: what` and never with a value from the document, and exits with 1;
or it prints a summary and exits with 0.";

/// The configurations of the token endpoints in a document, as JSON, as Envoy would hand them to the filter.
///
/// # Errors
/// What is wrong with the document as a whole.
pub fn configurations(text: &str, path: &Path) -> Result<Vec<String>, String> {
    let plugins = plugin::find(&document::read(text, path)?)?;
    plugins.into_iter().map(|plugin| plugin.configuration.map_err(str::to_owned)).collect()
}

/// A document as JSON, read as Envoy reads it; several documents are a list of them.
///
/// # Errors
/// What is wrong with the document as a whole.
pub fn json(text: &str, path: &Path) -> Result<String, String> {
    Ok(document::read(text, path)?.to_json())
}

impl CheckConfig {
    /// Prints a summary, or all problems.
    pub fn run(self) -> Result<Output, Failure> {
        let plugins = plugins(&self.file)?;
        let heads = plugins.len() > 1;
        let checked: Vec<_> = plugins.iter().map(|plugin| check(plugin, heads, self.explain)).collect();
        let all_good = checked.iter().all(Result::is_ok);
        let reports: Vec<_> = checked.into_iter().map(|report| report.unwrap_or_else(|report| report)).collect();
        let output = reports.join("\n\n");
        if all_good { Ok(Zeroizing::new(output)) } else { Err(Failure::Problems(output)) }
    }
}

/// The token endpoints in a file.
pub(super) fn plugins(file: &Path) -> Result<Vec<Plugin>, Failure> {
    let text = input::file(file)?;
    plugin::find(&document::read(&text, file).map_err(unreadable)?).map_err(unreadable)
}

/// A problem with the document as a whole, told as one with a part of it is.
fn unreadable(what: String) -> Failure {
    Failure::Problems(format!("configuration: {what}"))
}

fn check(plugin: &Plugin, has_head: bool, explain: bool) -> Result<String, String> {
    let head = if has_head { format!("{}:\n", plugin.path) } else { String::new() };
    let now = input::now();
    let document = plugin.configuration.as_ref().map_err(|what| format!("{head}configuration: {what}"))?;
    match config::parse_any(document.as_bytes(), &|name| plugin.variable(name), now) {
        Ok(Role::Holder(paths)) => Ok(format!("{head}holds: {}", paths.join(", "))),
        Ok(Role::TokenEndpoint(configuration)) if explain => Ok(head + &explain::of(&configuration, now)),
        Ok(Role::TokenEndpoint(configuration)) => Ok(head + &summary::of(&configuration, now)),
        Err(problems) => Err(head + &problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}
