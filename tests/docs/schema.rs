//! The JSON Schema and the reference page: current, true to the code, and never stricter than what reads configurations.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{
    configuration::{HASH, KEY, NOW, SEAL_KEY, SECRET_HASH, environment, good, parse},
    manifests::value,
};
use serde_json::{Map, Value, json};
use token_endpoint::{
    cli::check_config,
    config::{self, schema::schema},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_schema_in_the_repository_is_the_one_of_the_types() {
    is_current("envoy/token-endpoint.schema.json", &["schema"]);
}

#[test]
fn the_reference_page_in_the_repository_is_the_one_of_the_schema() {
    is_current("docs/configuration.md", &["schema", "--reference"]);
}

#[track_caller]
fn is_current(file: &str, arguments: &[&str]) {
    let made = Command::new(env!("CARGO_BIN_EXE_token-endpoint")).args(arguments).output().unwrap();
    let kept = fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_default();
    let command = format!("cargo run --bin token-endpoint -- {} > {file}", arguments.join(" "));
    assert!(made.stdout == kept.as_bytes(), "{file} is not current. Make it anew: {command}");
}

#[test]
fn every_field_says_what_it_means() {
    let schema = schema();
    let fields = fields(&schema);
    assert!(fields.len() > 100, "{}", fields.len());
    for (path, field) in fields {
        let description = field["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{path}: {description}");
    }
}

#[test]
fn a_default_is_what_holds_where_a_field_is_left_out() {
    let (complete, schema) = (complete(), schema());
    let fields = fields(&schema);
    let (mut seen, mut shown) = (0, 0);
    let whole = read(&complete);
    for (path, field) in fields.iter().filter(|(_, field)| field.get("default").is_some()) {
        for pointer in places(&complete, path) {
            let with = read(&set(&complete, &pointer, Some(field["default"].clone())));
            let without = read(&set(&complete, &pointer, None));
            assert!(with == without, "{pointer}");
            seen += 1;
            shown += usize::from(with != whole);
        }
    }
    assert!(shown > 30, "{shown} of {seen} defaults show");
}

#[test]
fn the_schema_accepts_every_configuration_in_the_repository() {
    let mut documents = vec![good(), complete(), holder(), readme_example(), pages()];
    documents.extend(files(&["envoy/envoy.yaml"]));
    documents.extend(files(&["envoy/istio/ingress-gateway/envoy-filter.yaml", "envoy/istio/sidecar/wasm-plugin.yaml"]));
    documents.extend(files(&["envoy/gateway/envoy-extension-policy.yaml"]));
    documents.extend(examples());
    assert!(documents.len() > 9, "{}", documents.len());
    for (document, wrong) in documents.iter().zip(checked(&documents)) {
        assert_eq!(wrong, [""; 0], "{document:#}");
    }
}

#[test]
fn readme_begins_with_a_whole_configuration() {
    let environment = |name: &str| match name {
        "SIGNING_KEY" => Some(include_str!("../vectors/rfc7515-a2.pkcs8.pem").to_owned()),
        "REFRESH_TOKEN_KEY" => Some(SEAL_KEY.to_owned()),
        _ => None,
    };
    config::parse(readme_example().to_string().as_bytes(), &environment, NOW).unwrap();
}

#[test]
fn whatever_the_schema_refuses_is_refused_and_what_has_a_wrong_shape_the_schema_refuses() {
    let documents: Vec<Value> = parts().iter().flat_map(|(document, part)| mutants(document, part)).collect();
    assert!(documents.len() > 3000, "{}", documents.len());
    let (mut refused, mut only_by_schema, mut not_by_schema) = (0, Vec::new(), Vec::new());
    for (document, wrong) in documents.iter().zip(checked(&documents)) {
        let problems = problems(document);
        if problems.is_empty() {
            only_by_schema.extend(wrong.clone());
        }
        if wrong.is_empty() {
            not_by_schema.extend(problems.into_iter().filter(|problem| is_of_shape(problem)));
        }
        refused += usize::from(!wrong.is_empty());
    }
    assert_eq!(only_by_schema, [""; 0]);
    assert_eq!(not_by_schema, [""; 0]);
    assert!(refused > documents.len() / 2, "{refused} of {}", documents.len());
}

/// What a schema can see. It can't see what needs the environment, another place of the document, or arithmetic.
fn is_of_shape(problem: &str) -> bool {
    const BEYOND: [&str; 11] = [
        ": missing, and",
        ": expected a URL",
        ": expected a path: / first, and nothing",
        ": expected an https URL",
        ": expected 0.001s to 60s",
        ": expected a time such as",
        ": expected 32 bytes in base64url",
        ": expected ASCII without spaces",
        ": expected a JSON Pointer (RFC 6901) to a field",
        ": expected the name of a header",
        ": expected a text, as a header is one",
    ];
    let kinds = [": expected ", ": missing", ": unknown field", ": an empty list"];
    kinds.iter().any(|kind| problem.contains(kind)) && !BEYOND.iter().any(|kind| problem.contains(kind))
}

#[test]
fn a_file_that_names_its_schema_to_editors_is_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token-endpoint.yaml");
    let text = format!("# yaml-language-server: $schema=token-endpoint.schema.json\n{:#}", good());
    fs::write(&file, &text).unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_token-endpoint"))
        .args([Path::new("check-config"), &file])
        .envs([("SIGNING_KEY", KEY), ("SEAL_KEY", SEAL_KEY)])
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

/// A configuration with every field in it somewhere.
fn complete() -> Value {
    let mut document = good();
    let limit = json!({"failures": 7, "wait": "7s", "max_wait": "70s", "forget": "700s"});
    let secret = json!({"env": "SEAL_KEY"});
    let call = json!({
        "cluster": "directory", "authority": "directory.example.com", "path": "/a?b={auth_source_id}",
        "headers": {"x-a": "{auth_source_id}", "x-b": secret}, "timeout": "0.5s", "max_concurrent": 7,
        "max_response_bytes": 7000, "circuit": {"failures": 7, "open": "7s"},
    });
    let bearer = json!({"authorization": {"bearer": secret}});
    let basic = json!({"authorization": {"basic": {"username": "a", "password": secret}}});
    let json = json!({"headers": {"content-type": "application/json"}});
    let user = json!({
        "at": "/rows/0", "id": "/id", "password_hash": "/hash", "status": "/status", "active": ["yes", 1, true],
        "password_changed_at": "/changed", "claims": {"name": "/name"},
    });
    let lookup = json!({
        "method": "POST", "body": "{identifier}", "user": user, "not_found": [204, 404], "decoy_hash": HASH,
        "cache": {"max_entries": 7, "max_age": "7s"},
    });
    let snapshot = json!({"format": "json_lines", "refresh_interval": "7s", "max_bytes": 7});
    let confirmed = json!({
        "from": "headers", "id": "X-Id", "status": "x-status", "active": ["yes"], "password_changed_at": "x-changed",
        "claims": {"name": "x-name"},
    });
    let verify =
        json!({"credentials": "json", "body": "[{identifier},{password}]", "refused": [401], "user": confirmed});
    let by_basic = json!({"credentials": "basic", "user": {"id": "/id"}});
    let call_of_snapshot = without(&call, &["max_concurrent", "max_response_bytes", "circuit"]);
    let source =
        |id: &str, way: &str, parts: &[&Value]| json!({"id": id, "identifiers": ["email"], way: merged(parts)});
    let sources = document["auth_sources"].as_array_mut().unwrap();
    sources[0]["case_insensitive_email"] = json!(true);
    sources[0]["users"][0]["password_changed_at"] = json!("2026-01-31T12:00:00Z");
    sources.push(source("LOOKUP", "lookup", &[&call, &bearer, &lookup]));
    sources.push(source("SNAPSHOT", "snapshot", &[&call_of_snapshot, &basic, &snapshot]));
    sources.push(source("VERIFY", "verify", &[&call, &bearer, &json, &verify]));
    sources.push(source("BASIC", "verify", &[&call, &by_basic]));
    document["clients"][0]["refresh_token_rotation"] = json!(false);
    document["clients"].as_array_mut().unwrap().push(json!({
        "id": "MACHINE", "type": "web", "secret_hashes": [SECRET_HASH, SECRET_HASH], "grants": ["client_credentials"],
    }));
    let others = json!({
        "allow_insecure_http": true, "token_profile": "rfc9068", "headers_held_by": "next_filter", "allow_weak_hashes": true,
        "refresh_token_keys": [secret, SEAL_KEY, {"key": secret, "not_before": 1}],
        "paths": {"token": "/t", "revocation": "/r", "introspection": "/i", "userinfo": "/u", "jwks": "/j"},
        "lifetimes": {
            "access_token": "70s", "id_token": "71s", "refresh_token": "7000s", "refresh_token_idle": "700s", "jwks": "7s",
        },
        "limits": {"max_request_bytes": 7000},
        "password_checks": {"slice_ms": 7, "max_wait": "0.7s", "pacing_cluster": "pacing"},
        "attempt_limits": {"identifier": limit, "user": limit, "friend": limit, "friend_days": 7, "address": limit, "client": limit, "store": "etcd"},
        "state": {
            "retry_grace": "7s", "on_grace_from_elsewhere": "tell", "on_store_failure": "allow",
            "etcd": merged(&[
                &without(&call, &["path", "headers", "max_response_bytes"]),
                &json!({"authorization": {"bearer": secret}, "path_prefix": "/a/b", "key_prefix": "a/"}),
            ]),
        },
    });
    document = merged(&[&document, &others]);
    document["signing_keys"] = json!([
        {"algorithm": "ES256", "private_key": {"env": "SIGNING_KEY"}, "kid": "a", "not_after": "2030-01-31T12:00:00Z"},
        {"algorithm": "ES256", "private_key": KEY, "kid": "b", "not_before": 1_800_000_001},
    ]);
    document
}

fn holder() -> Value {
    json!({"hold": ["/oauth2/token", "/b"]})
}

fn merged(parts: &[&Value]) -> Value {
    let mut whole = Map::new();
    for (name, value) in parts.iter().flat_map(|part| part.as_object().unwrap()) {
        whole.insert(name.clone(), value.clone());
    }
    Value::Object(whole)
}

fn without(object: &Value, names: &[&str]) -> Value {
    let kept = object.as_object().unwrap().iter().filter(|(name, _)| !names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Good configurations that are as small as can be, and the part that each is there for: all fields are in one of them.
fn parts() -> Vec<(Value, String)> {
    let (good, complete) = (good(), complete());
    let small = |name: &str, value: &Value| merged(&[&good, &json!({"state": complete["state"], name: value})]);
    let fields = complete.as_object().unwrap().iter().filter(|(name, _)| *name != "auth_sources");
    let mut parts: Vec<_> = fields.map(|(name, value)| (small(name, value), format!("/{name}"))).collect();
    for source in complete["auth_sources"].as_array().unwrap() {
        let sources = json!([good["auth_sources"][0], source]);
        let sources = if source["id"] == "SOURCE" { json!([source]) } else { sources };
        let last = sources.as_array().unwrap().len() - 1;
        parts.push((small("auth_sources", &sources), format!("/auth_sources/{last}")));
    }
    parts.push((good, String::new()));
    parts.push((holder(), String::new()));
    let documents: Vec<_> = parts.iter().map(|(document, _)| document.clone()).collect();
    assert!(documents.iter().all(|document| problems(document).is_empty()));
    assert!(checked(&documents).iter().all(Vec::is_empty));
    parts
}

/// The document with one thing wrong in a part, most of the time, in every way that there is: each value is taken away or
/// stands for something else, and each object has a field more.
fn mutants(document: &Value, part: &str) -> Vec<Value> {
    let values = json!([
        null, true, 0, 1, -1, 1.5, 500, 1e16, "", "x", "/x", "1s", "0s", "1.5s", "a b", "x/", "web", "json", "2030-01-31T12:00:00Z",
        [], ["x"], [1], [{}], {}, {"x": "x"}, {"env": "SEAL_KEY"}, {"env": 1}
    ]);
    let values = values.as_array().unwrap();
    let schema = schema();
    let mut names: Vec<_> =
        fields(&schema).into_iter().map(|(path, _)| path.rsplit('.').next().unwrap().to_owned()).collect();
    names.extend(["unknown", "password", "client_secret", "sub"].map(str::to_owned));
    names.sort_unstable();
    names.dedup();

    let mut mutants = Vec::new();
    let pointers = pointers(document).into_iter().chain([String::new()]).filter(|pointer| pointer.starts_with(part));
    let pointers: Vec<_> = pointers.collect();
    for pointer in pointers.iter().filter(|pointer| !pointer.is_empty()) {
        mutants.push(set(document, pointer, None));
        mutants.extend(values.iter().map(|value| set(document, pointer, Some(value.clone()))));
    }
    for pointer in pointers {
        let Some(object) = document.pointer(&pointer).and_then(Value::as_object) else { continue };
        for name in names.iter().filter(|name| !object.contains_key(*name)) {
            let more = format!("{pointer}/{name}");
            mutants.push(set(document, &more, Some(if name == "unknown" { Value::Null } else { json!("/x") })));
        }
    }
    mutants
}

/// The places of all values.
fn pointers(document: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match document {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = |(name, value): (String, &Value)| {
        let own = format!("/{name}");
        let deeper = pointers(value).into_iter().map(|deeper| own.clone() + &deeper).collect::<Vec<_>>();
        [vec![own.clone()], deeper].concat()
    };
    children.into_iter().flat_map(below).collect()
}

/// The document with another value at a place, or with none there.
fn set(document: &Value, pointer: &str, value: Option<Value>) -> Value {
    let mut document = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (document.pointer_mut(parent).unwrap(), value) {
        (Value::Array(elements), Some(value)) => elements[name.parse::<usize>().unwrap()] = value,
        (Value::Array(elements), None) => _ = elements.remove(name.parse().unwrap()),
        (object, Some(value)) => object[name] = value,
        (object, None) => _ = object.as_object_mut().unwrap().remove(name),
    }
    document
}

/// All fields of a schema by their paths, those of alternatives too.
fn fields(schema: &Value) -> Vec<(String, &Value)> {
    let mut fields = Vec::new();
    fields_of(schema, "", &mut fields);
    fields
}

fn fields_of<'a>(schema: &'a Value, path: &str, fields: &mut Vec<(String, &'a Value)>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        fields_of(field, &path, fields);
        fields.push((path, field));
    }
    for part in ["then", "else", "additionalProperties"] {
        if schema[part]["type"].is_string() || schema[part]["anyOf"].is_array() {
            fields_of(&schema[part], path, fields);
        }
    }
    fields_of_elements(schema, path, fields);
    for form in schema["anyOf"].as_array().into_iter().flatten() {
        fields_of(form, path, fields);
    }
}

fn fields_of_elements<'a>(schema: &'a Value, path: &str, fields: &mut Vec<(String, &'a Value)>) {
    if schema["items"].is_object() {
        fields_of(&schema["items"], &format!("{path}.*"), fields);
    }
}

/// Where a document has the field of this path.
fn places(document: &Value, path: &str) -> Vec<String> {
    let pattern: Vec<_> = path.split('.').skip(1).collect();
    let is_there = |pointer: &String| {
        let parts: Vec<_> = pointer.split('/').skip(1).collect();
        parts.len() == pattern.len()
            && parts.iter().zip(&pattern).all(|(part, wanted)| *wanted == "*" || part == wanted)
    };
    pointers(document).into_iter().filter(is_there).collect()
}

/// The words of all that a configuration shows of itself, or of all that is wrong with it. Its tables have no order.
fn read(document: &Value) -> Vec<String> {
    let shown = format!("{:?}", parse(document));
    let mut words: Vec<_> = shown.split([' ', '{', '}', '(', ')', '[', ']', ',']).map(str::to_owned).collect();
    words.sort_unstable();
    words
}

fn problems(document: &Value) -> Vec<String> {
    let read = config::parse_any(document.to_string().as_bytes(), &environment, NOW);
    read.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// What is wrong with each document by the schema, as a validator that nobody here wrote has it.
fn checked(documents: &[Value]) -> Vec<Vec<String>> {
    let python = format!("{ROOT}/.tools/manifests/bin/python");
    let mut validator = Command::new(&python)
        .args(["-B", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docs/schema.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{python}: {error}: run these tests by `make test`"));
    let input = json!({"schema": schema(), "documents": documents}).to_string();
    validator.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = validator.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn files(files: &[&str]) -> Vec<Value> {
    let read = |file: &&str| {
        let path = Path::new(ROOT).join(file);
        let configurations = check_config::configurations(&fs::read_to_string(&path).unwrap(), &path).unwrap();
        configurations.iter().map(|text| serde_json::from_str(text).unwrap()).collect::<Vec<Value>>()
    };
    files.iter().flat_map(read).collect()
}

/// Each example's auth sources in a configuration that has all else.
fn examples() -> Vec<Value> {
    let example = |folder: fs::DirEntry| {
        let path = folder.path().join("auth-source.yaml");
        let sources = value(&fs::read_to_string(&path).ok()?, &path);
        Some(merged(&[&good(), &json!({"auth_sources": sources})]))
    };
    fs::read_dir(Path::new(ROOT).join("envoy/examples")).unwrap().map(Result::unwrap).filter_map(example).collect()
}

/// The pages that README's chapter on the configuration leads to.
const PAGES: [&str; 3] = ["docs/state.md", "docs/rotating-keys.md", "docs/directories.md"];

/// The YAML of README.
fn readme_example() -> Value {
    snippets("README.md").remove(0)
}

/// The YAML of those pages, in a configuration that has all else.
fn pages() -> Value {
    let snippets: Vec<_> = PAGES.into_iter().flat_map(snippets).collect();
    assert!(snippets.len() >= PAGES.len(), "{}", snippets.len());
    merged(&[&[&good()], snippets.iter().collect::<Vec<_>>().as_slice()].concat())
}

fn snippets(page: &str) -> Vec<Value> {
    let page = fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
    let snippets = page.split("```yaml").skip(1).map(|after| after.split("```").next().unwrap());
    snippets.map(|text| value(text, Path::new("page.yaml"))).collect()
}
