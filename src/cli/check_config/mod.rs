//! `check-config`: what Envoy would say about a configuration, before it does.

mod document;
mod dynamic_module;
mod explain;
mod given;
mod manifests;
pub(super) mod plugin;
mod reading;
mod summary;
mod wasm;
mod yaml;

use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use self::{given::Files, manifests::Severity, plugin::PluginDocument};
use super::{Output, failure::Failure, input};
use crate::config::{self, Role};

/// Check a configuration, and print all its problems as Envoy would log them
///
/// FILE is the plugin's configuration, or a document that has it in it: an Envoy bootstrap
/// or listener, an Istio WasmPlugin or EnvoyFilter, or an EnvoyExtensionPolicy of Envoy
/// Gateway; as JSON or as YAML, which is read by Envoy's rules.
/// Where there are several wasm plugins, those are checked whose wasm file or image is named
/// token_endpoint or token-endpoint.
///
/// The manifests around it are checked too: who answers while the image can't be fetched,
/// phases and priorities, the plugin that holds headers, keys that are written there, routes
/// that Istio would drop, and policies that other spellings of a path get around. What
/// belongs together may be in several files, given at once: a WasmPlugin and the one that
/// holds for it, or an EnvoyFilter and its Gateway.
///
/// `{"env": "NAME"}` is looked up among the variables that the document gives to the VM,
/// and in this process's environment where the document says so (`host_env_keys`) or is
/// only a plugin's configuration.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLE)]
pub(crate) struct CheckConfig {
    /// JSON or YAML, with one document or several; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Tell what is sent to the directories outside and the state store, and what their answers mean
    #[arg(long)]
    explain: bool,
}

const EXAMPLE: &str = "\
Example:
  TOKEN_ENDPOINT_SIGNING_KEY=\"$(cat signing-key.pem)\" token-endpoint check-config envoy.yaml
  token-endpoint check-config wasm-plugin.yaml request-authentication.yaml authorization-policy.yaml

It prints a summary of each token endpoint, or one problem a line as `path: what`, never with a value from
the document that could be secret, and then exits with 1. What is wrong with a manifest itself is told as
`kind/name: path: what`. Lines that begin with `warning:` leave the exit code at 0: they tell what works, and
may not be meant. Where several files are given, each such line begins with the file.";

/// The configurations of the token endpoints in a document, as JSON, as Envoy would hand them to the filter.
///
/// # Errors
/// What is wrong with the document as a whole.
pub fn configurations(text: &str, path: &Path) -> Result<Vec<String>, String> {
    let plugins = plugin::find(&[reading::read(text, path)?])?;
    plugins.into_iter().map(|plugin| plugin.configuration.map_err(str::to_owned)).collect()
}

/// A document as JSON, read as Envoy reads it; several documents are a list of them.
///
/// # Errors
/// What is wrong with the document as a whole.
pub fn json(text: &str, path: &Path) -> Result<String, String> {
    Ok(reading::read(text, path)?.to_json())
}

impl CheckConfig {
    /// Prints a summary, or all problems.
    pub(crate) fn run(self) -> Result<Output, Failure> {
        let files = Files::read(&self.files)?;
        let plugins = files.plugins()?;
        let several = plugins.len() > 1;
        let mut told: Vec<_> = plugins.iter().map(|plugin| report(plugin, &files, several, self.explain)).collect();
        if told.is_empty() {
            told.push(Ok(without_plugin(&files)?));
        }
        told.extend(findings(&files));
        let all_good = told.iter().all(Result::is_ok);
        let told: Vec<_> = told.into_iter().map(|report| report.unwrap_or_else(|report| report)).collect();
        let output = told.join("\n\n");
        if all_good { Ok(Zeroizing::new(output)) } else { Err(Failure::Problems(output)) }
    }
}

/// What is wrong with the manifests themselves.
fn findings(files: &Files) -> Option<Result<String, String>> {
    let findings = manifests::check(&files.trees);
    let lines: Vec<_> = findings.iter().map(|finding| format!("{}{finding}", files.head(finding.file))).collect();
    let is_wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
    let text = lines.join("\n");
    (!findings.is_empty()).then_some(if is_wrong { Err(text) } else { Ok(text) })
}

/// What is told of manifests without a token endpoint, if something can be told of them.
fn without_plugin(files: &Files) -> Result<String, Failure> {
    let checked = manifests::checked_alone(&files.trees);
    if checked.is_empty() {
        Err(without_any())
    } else {
        Ok(format!("no token endpoint in it; checked: {}", checked.join(", ")))
    }
}

/// The token endpoints in a file.
pub(super) fn plugins(file: &Path) -> Result<Vec<PluginDocument>, Failure> {
    let plugins = Files::read(&[file.to_owned()])?.plugins()?;
    if plugins.is_empty() { Err(without_any()) } else { Ok(plugins) }
}

fn without_any() -> Failure {
    Failure::Problems(
        "configuration: no wasm or dynamic module HTTP filter, WasmPlugin or EnvoyExtensionPolicy in it".to_owned(),
    )
}

/// What is to be told of a token endpoint, under its path where there are several, each problem with its file.
fn report(plugin: &PluginDocument, files: &Files, has_title: bool, explain: bool) -> Result<String, String> {
    let file = files.head(plugin.file);
    let place = format!("{file}{}", plugin.path);
    let title = if has_title { format!("{}:\n", place.trim_end_matches(": ")) } else { String::new() };
    let told = |text: String, is_problem: &dyn Fn(&str) -> bool| {
        let line = |line: &str| if is_problem(line) { format!("{file}{line}") } else { line.to_owned() };
        title.clone() + &text.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    match check(plugin, explain) {
        Ok(summary) => Ok(told(summary, &|line| line.starts_with("warning: "))),
        Err(problems) => Err(told(problems, &|_| true)),
    }
}

fn check(plugin: &PluginDocument, explain: bool) -> Result<String, String> {
    let now = input::now();
    let document = plugin.configuration.as_ref().map_err(|what| format!("configuration: {what}"))?;
    match config::parse_any(document.as_bytes(), &|name| plugin.variable(name), now) {
        Ok(Role::PauseFilter(paths)) => Ok(format!("holds: {}", paths.join(", "))),
        Ok(Role::TokenEndpoint(configuration)) if explain => Ok(explain::of(&configuration, now)),
        Ok(Role::TokenEndpoint(configuration)) => Ok(summary::of(&configuration, now)),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}
