//! check-config on manifests: each mistake in a good one is told in a line of its own, and good ones in none.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;
use token_endpoint::cli::check_config;

const DONE: i32 = 0;
const BAD: i32 = 1;

const SIGNING_KEY: &str = include_str!("../vectors/rfc7515-a2.pkcs8.pem");
const REFRESH_TOKEN_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Stands wherever a secret may stand, and must come out nowhere.
const PLANTED: &str = "Zm9yIHRlc3RzIGFuZCBubyBvdGhlciB1c2UgYXQgYWw";

#[test]
fn each_mistake_is_told_in_a_line_of_its_own() {
    let mistakes = table();
    assert!(mistakes.len() > 70, "{}", mistakes.len());
    let wrong: Vec<String> = mistakes.iter().filter_map(|mistake| told_otherwise(mistake).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn good_manifests_are_good_all_together() {
    for folder in ["istio", "gateway"] {
        is_silent(&good(), &below(&good().join(folder)));
    }
}

#[test]
fn the_projects_own_manifests_are_good_all_together() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["envoy/istio", "envoy/gateway"] {
        let files = below(&root.join(folder));
        let files: Vec<_> = files.iter().filter(|file| file.extension().is_some_and(|name| name == "yaml")).collect();
        is_silent(root, &files);
    }
}

#[test]
fn a_plugin_and_its_holder_may_be_in_two_files() {
    let text = fs::read_to_string(good().join("istio/wasm-plugin.yaml")).unwrap();
    let (endpoint, holder) = text.split_once("---\n").unwrap();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("endpoint.yaml"), endpoint).unwrap();
    fs::write(folder.path().join("holder.yaml"), holder).unwrap();

    is_silent(folder.path(), &["endpoint.yaml", "holder.yaml"]);
    let (code, alone) = check(folder.path(), &["endpoint.yaml"]);
    assert_eq!(code, BAD);
    assert!(
        alone.contains("\nWasmPlugin/token-endpoint: spec.pluginConfig.headers_held_by: next_filter, and"),
        "{alone}"
    );
}

#[test]
fn every_problem_begins_with_its_file_where_there_are_several() {
    let folder = TempDir::new().unwrap();
    let text = fs::read_to_string(good().join("istio/wasm-plugin.yaml")).unwrap();
    fs::write(folder.path().join("plugin.yaml"), text.replace("issuer:", "colour: red\n    issuer:")).unwrap();
    fs::write(folder.path().join("broken.yaml"), "a: [").unwrap();
    fs::copy(good().join("istio/service.yaml"), folder.path().join("service.yaml")).unwrap();

    let (code, told) = check(folder.path(), &["plugin.yaml", "service.yaml"]);
    assert_eq!((code, told.lines().next()), (BAD, Some("plugin.yaml: [0].spec.pluginConfig:")), "{told}");
    assert!(told.contains("\nplugin.yaml: colour: unknown field\n"), "{told}");

    let (code, told) = check(folder.path(), &["plugin.yaml", "broken.yaml"]);
    assert_eq!((code, told.lines().count()), (BAD, 1), "{told}");
    assert!(told.starts_with("broken.yaml: configuration: not a YAML document: line "), "{told}");
}

#[test]
fn manifests_without_a_token_endpoint_are_checked_by_themselves() {
    let (code, told) = check(&good(), &["istio/authorization-policy.yaml"]);
    assert_eq!((code, told.as_str()), (DONE, "no token endpoint in it; checked: AuthorizationPolicy/token-endpoint"));

    let (code, told) = check(&good(), &["istio/gateway-environment.yaml", "istio/service.yaml"]);
    let nothing = "configuration: no wasm or dynamic module HTTP filter, WasmPlugin or EnvoyExtensionPolicy in it";
    assert_eq!((code, told.as_str()), (BAD, nothing));
}

#[test]
fn a_list_as_the_cluster_prints_it_is_read_too() {
    let text = fs::read_to_string(good().join("istio/wasm-plugin.yaml")).unwrap();
    let documents = check_config::json(&text.replace("FAIL_RELOAD", "FAIL_OPEN"), Path::new("a.yaml")).unwrap();
    let folder = TempDir::new().unwrap();
    let list = format!(r#"{{"apiVersion": "v1", "kind": "List", "items": {documents}}}"#);
    fs::write(folder.path().join("list.json"), list).unwrap();

    let (code, told) = check(folder.path(), &["list.json"]);

    assert_eq!((code, told.matches("spec.failStrategy: FAIL_OPEN").count()), (BAD, 2), "{told}");
}

/// The rows of the table of mistakes.
fn table() -> Vec<Value> {
    let path = good().join("mistakes.yaml");
    let json = check_config::json(&fs::read_to_string(&path).unwrap(), &path).unwrap();
    serde_json::from_str(&json).unwrap()
}

/// What is printed of a mistake instead of what the table says.
fn told_otherwise(mistake: &Value) -> Result<(), String> {
    let files = texts(&mistake["files"]);
    let (_, before) = check(&good(), &files);
    let folder = TempDir::new().unwrap();
    change(&files, &mistake["change"], folder.path());

    let (code, after) = check(folder.path(), &files);

    let added: Vec<_> =
        after.lines().filter(|line| !line.is_empty() && !before.lines().any(|known| known == *line)).collect();
    let expected = texts(&mistake["adds"]);
    let problems = expected.iter().filter(|line| !line.contains("warning: ")).count();
    let is_told = added == expected && code == if problems > 0 { BAD } else { DONE } && !after.contains(PLANTED);
    if is_told { Ok(()) } else { Err(format!("{}: {code}\n{}", mistake["claim"], added.join("\n"))) }
}

/// Writes the files with all that is to be changed, each change in one of them at least.
fn change(files: &[&str], changes: &Value, folder: &Path) {
    let mut texts: Vec<_> = files.iter().map(|file| fs::read_to_string(good().join(file)).unwrap()).collect();
    for (from, to) in changes.as_object().unwrap() {
        assert!(texts.iter().any(|text| text.contains(from)), "{from} is in none of {files:?}");
        let pem = SIGNING_KEY.replace('\n', "\\n");
        let to = to.as_str().unwrap().replace("PLANTED", PLANTED).replace("PEM", &format!("\"{pem}\""));
        texts.iter_mut().for_each(|text| *text = text.replace(from, &to));
    }
    for (file, text) in files.iter().zip(texts) {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[track_caller]
fn is_silent(folder: &Path, files: &[impl AsRef<Path>]) {
    let (code, told) = check(folder, files);
    assert!(code == DONE && !told.contains("warning: "), "{told}");
}

/// The exit code and what is printed, for files in a folder.
fn check(folder: &Path, files: &[impl AsRef<Path>]) -> (i32, String) {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_token-endpoint"));
    tool.current_dir(folder).env_clear().arg("check-config").args(files.iter().map(AsRef::as_ref));
    tool.env("TOKEN_ENDPOINT_SIGNING_KEY", SIGNING_KEY).env("TOKEN_ENDPOINT_REFRESH_TOKEN_KEY", REFRESH_TOKEN_KEY);
    let output = tool.output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
}

fn good() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests")
}

/// All files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect();
    files.sort_unstable();
    files
}
