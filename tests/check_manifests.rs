//! check-config on manifests: several files, and what is in them, are looked at together.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

const DONE: i32 = 0;
const BAD: i32 = 1;

const SIGNING_KEY: &str = include_str!("vectors/rfc7515-a2.pkcs8.pem");
const REFRESH_TOKEN_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

#[test]
fn good_manifests_are_good_all_together() {
    for folder in ["istio", "gateway"] {
        is_silent(&good(), &below(&good().join(folder)));
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
