//! The operator's tool as a shell sees it: arguments, standard input and files go in; output and an exit code come out.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use argon2::{Argon2, PasswordVerifier};
use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};
use serde_json::{Value, json};
use tempfile::TempDir;
use token_endpoint::{crypto::client_secret::SecretHash, secret::Secret};

const DONE: i32 = 0;
const BAD: i32 = 1;
const USAGE: i32 = 2;
const SYSTEM: i32 = 3;

/// Stands wherever a secret may stand, and must come out nowhere.
const PLANTED: &str = "planted-secret-3f1c";

#[test]
fn a_hashed_password_is_good_in_a_configuration_and_matches() {
    let hash = tool(&["hash-password"]).with_input("MOCK_PASSWORD\n").succeeds();

    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert!(Argon2::default().verify_password(b"MOCK_PASSWORD", hash.as_str()).is_ok());
    let mut configuration = good();
    configuration["auth_sources"][0]["users"][0]["password_hash"] = json!(hash);
    check_json(&configuration).succeeds();
}

#[test]
fn only_the_line_ending_is_no_part_of_a_password() {
    for (input, password) in [("word", "word"), ("word\n", "word"), ("word\r\n", "word"), (" a word ", " a word ")] {
        let hash = cheap_hash().with_input(input).succeeds();
        assert!(Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok(), "{input:?}");
    }
}

#[test]
fn the_cost_can_be_chosen_where_a_configuration_would_take_it() {
    let hash = cheap_hash().with_input("word").succeeds();
    assert!(hash.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{hash}");

    for (option, value) in
        [("--memory-kib", "19455"), ("--memory-kib", "262145"), ("--iterations", "1"), ("--parallelism", "17")]
    {
        let refused = tool(&["hash-password", option, value]).with_input(PLANTED).fails_with(USAGE);
        assert!(!refused.errors.is_empty(), "{option} {value}");
    }
}

#[test]
fn what_can_be_no_secret_is_refused() {
    let inputs = [
        &b""[..],
        b"\n",
        b"a first line that is long\nand a second one\n",
        b"\xff\xfe not UTF-8 at all, is it",
        &[b'a'; 17_000],
    ];
    for command in ["hash-password", "hash-secret"] {
        for input in inputs {
            tool(&[command]).with_input(input).fails_with(BAD);
        }
    }
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let option = format!("--password={PLANTED}");
    for command in ["hash-password", "hash-secret"] {
        for stray in [PLANTED, &option] {
            tool(&[command, stray]).with_input("another-secret-of-a-client").fails_with(USAGE);
        }
    }
}

#[test]
fn a_hashed_client_secret_is_good_in_a_configuration_and_matches() {
    let hash = tool(&["hash-secret"]).with_input("TENANT_CLIENT_SECRET").succeeds();

    assert!(matches(&hash, "TENANT_CLIENT_SECRET"));
    let mut configuration = good();
    configuration["clients"][0]["secret_hashes"] = json!([hash]);
    check_json(&configuration).succeeds();
}

#[test]
fn a_client_secret_that_a_person_could_have_chosen_is_refused_with_the_reason() {
    let refused = tool(&["hash-secret"]).with_input("fifteen-bytes-x").fails_with(BAD);
    assert!(refused.errors.contains("RFC 6749"), "{}", refused.errors);

    tool(&["hash-secret"]).with_input("sixteen-bytes-xx").succeeds();
}

#[test]
fn a_generated_client_secret_comes_with_its_hash() {
    let (one, other) = (generate_secret(), generate_secret());

    assert_eq!(one.0.len(), 43, "256 bits in base64url");
    assert!(matches(&one.1, &one.0));
    assert_ne!(one.0, other.0);
}

#[test]
fn generated_keys_are_good_in_a_configuration_and_their_public_halves_in_a_jwks() {
    for (algorithm, key) in [("RS256", &*RS256), ("ES256", &generate("ES256")), ("EdDSA", &generate("EdDSA"))] {
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "PKCS#8");
        assert!(key.ends_with("\n-----END PRIVATE KEY-----"), "and nothing else");

        let summary = check(&good_with(algorithm).to_string(), "json").with("SIGNING_KEY", key).succeeds();
        let jwks = tool(&["jwks", "-"]).with_input(key.as_str()).succeeds();

        let keys = serde_json::from_str::<JwkSet>(&jwks).unwrap().keys;
        let kid = keys[0].common.key_id.as_deref().unwrap();
        assert!(summary.contains(&format!("signing key: {algorithm}, kid {kid}, active\n")), "{summary}");
    }
}

#[test]
fn a_jwks_has_every_key_and_no_private_member() {
    let folder = TempDir::new().unwrap();
    let files = [("rs", RS256.clone()), ("es", generate("ES256")), ("ed", ED_DSA.clone())];
    let files = files.map(|(name, key)| file(&folder, name, &key));
    let files = files.each_ref().map(|path| path.to_str().unwrap());

    let jwks = tool(&["jwks", files[0], files[1], files[2]]).succeeds();

    let keys = serde_json::from_str::<JwkSet>(&jwks).unwrap().keys;
    assert_eq!(keys.len(), 3, "{jwks}");
    assert!(matches!(keys[0].algorithm, AlgorithmParameters::RSA(_)), "{jwks}");
    assert!(matches!(keys[1].algorithm, AlgorithmParameters::EllipticCurve(_)), "{jwks}");
    assert!(matches!(keys[2].algorithm, AlgorithmParameters::OctetKeyPair(_)), "{jwks}");
    let document: Value = serde_json::from_str(&jwks).unwrap();
    for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
        assert!(document["keys"].as_array().unwrap().iter().all(|key| key.get(private).is_none()), "{private}");
    }
}

#[test]
fn a_file_that_is_no_key_is_told_from_one_that_is_not_there() {
    let folder = TempDir::new().unwrap();
    let no_key = file(&folder, "no-key.pem", PLANTED);
    let es256 = file(&folder, "es256.pem", &generate("ES256"));
    let missing = folder.path().join("missing.pem");

    tool(&["jwks", no_key.to_str().unwrap()]).fails_with(BAD);
    tool(&["jwks", "--algorithm", "RS256", es256.to_str().unwrap()]).fails_with(BAD);
    tool(&["jwks", "--algorithm", "ES256", es256.to_str().unwrap()]).succeeds();
    let refused = tool(&["jwks", missing.to_str().unwrap()]).fails_with(SYSTEM);
    assert!(refused.errors.contains("missing.pem"), "{}", refused.errors);
    tool(&["check-config", missing.to_str().unwrap()]).fails_with(SYSTEM);
}

#[test]
fn a_refresh_token_key_is_32_fresh_bytes() {
    let (one, other) = (generate("refresh-token"), generate("refresh-token"));

    assert_eq!(one.len(), 43, "256 bits in base64url");
    assert_ne!(one, other);
    check_json(&good()).with("REFRESH_TOKEN_KEY", &one).succeeds();
}

#[test]
fn a_wrong_command_line_is_told_from_a_wrong_input() {
    let wrong: [&[&str]; 6] = [
        &[],
        &["unknown"],
        &["generate-key"],
        &["generate-key", "--algorithm", "HS256"],
        &["generate-key", "--algorithm", "ES256", "--bits", "2048"],
        &["generate-key", "--algorithm", "RS256", "--bits", "1024"],
    ];
    for arguments in wrong {
        tool(arguments).fails_with(USAGE);
    }
}

#[test]
fn every_help_has_an_example_and_the_first_one_the_exit_codes() {
    for command in ["hash-password", "hash-secret", "generate-key", "jwks", "rotate-key", "check-config", "schema"] {
        let help = tool(&[command, "--help"]).succeeds();
        let (_, example) = help.split_once("Example:\n").expect(command);
        assert!(example.contains(&format!("token-endpoint {command}")), "{help}");
    }
    assert!(tool(&["--help"]).succeeds().contains("Exit codes:\n  0  "));
}

#[test]
fn a_good_configuration_is_summed_up_the_same_however_it_is_wrapped() {
    let summary = check_json(&good()).succeeds();

    assert!(summary.starts_with("issuer: https://gateway.example.com\nsigning key: EdDSA, kid "), "{summary}");
    assert!(summary.ends_with("client: WEB (web, secrets: 1)\nauth source: STAFF (users: 1)"), "{summary}");
    for (text, extension) in wrapped(&good()) {
        assert_eq!(check(&text, extension).succeeds(), summary, "{text}");
    }
    let piped = tool(&["check-config", "-"]).with_keys().with_input(good().to_string());
    assert_eq!(piped.succeeds(), summary);
}

#[test]
fn what_a_snapshot_sends_is_explained_without_its_secrets() {
    let mut document = good();
    document["auth_sources"][0] = json!({"id": "STAFF", "identifiers": ["username"], "snapshot": {
        "cluster": "files", "path": "/users.json", "headers": {"x-key": {"env": "TOKEN"}, "x-fixed": PLANTED},
        "authorization": {"bearer": {"env": "TOKEN"}},
    }});

    let explained = check_json(&document).with_option("--explain").with("TOKEN", PLANTED).succeeds();

    assert!(!explained.contains(PLANTED), "{explained}");
    for told in
        ["asks the cluster files", "GET /users.json", "x-key (secret)", "(Bearer, secret)", "range", "if-none-match"]
    {
        assert!(explained.contains(told), "{told}: {explained}");
    }
    assert!(explained.contains("every 60s by one worker, within 10s"), "{explained}");
    assert!(explained.contains("33554432 bytes at most"), "{explained}");
}

#[test]
fn twelve_mistakes_are_told_at_once_the_same_however_they_are_wrapped() {
    let expected = [
        "auth_sources[0].users[0].password: ",
        "auth_sources[0].users[0].password_hash: ",
        "auth_sources[0].users[1].identifiers: missing",
        "clients[0].auth_sources[0]: no auth source has this id",
        "clients[0].client_secret: ",
        "clients[0].secret_hashes[0]: ",
        "clients[1].grants: missing",
        "colour: unknown field",
        "issuer: an http issuer, which only allow_insecure_http permits",
        "lifetimes.access_token: expected a duration in seconds",
        "refresh_token_keys[0]: expected 32 bytes in base64url",
        "signing_keys[0].private_key: not a PEM Ed25519 private key",
    ];
    for (text, extension) in wrapped(&mistakes()) {
        let problems = check(&text, extension).fails_with(BAD).output;
        let is_of_configuration = |line: &&str| !line.is_empty() && !line.starts_with("EnvoyExtensionPolicy: ");
        let mut lines: Vec<_> = problems.lines().filter(is_of_configuration).collect();
        lines.sort_unstable();
        assert_eq!(lines.len(), expected.len(), "{problems}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line} is not {expected}");
        }
    }
}

#[test]
fn a_field_given_twice_is_a_problem_in_yaml_too_where_envoy_would_be_silent() {
    let yaml = format!("{}\nissuer: https://another.example.com\n", as_block_yaml(&good()));

    let problems = check(&yaml, "yaml").fails_with(BAD).output;

    assert_eq!(problems, "issuer: given twice");
}

#[test]
fn yaml_is_read_as_envoy_reads_it() {
    let yaml = as_block_yaml(&good())
        + "\nlifetimes: {access_token: 300}\nallow_insecure_http: on\nlimits: {max_request_bytes: 2048.0}\n";

    let problems = check(&yaml, "yaml").fails_with(BAD).output;

    let expected = "lifetimes.access_token: expected a duration in seconds, such as \"300s\"\n\
                    limits.max_request_bytes: expected a whole number";
    assert_eq!(problems, expected, "`on` is true, and 2048.0 is a text");
}

#[test]
fn a_text_that_is_no_document_is_told_by_its_place() {
    let json = check(&format!("{{\"issuer\": {PLANTED}"), "json").fails_with(BAD).output;
    assert_eq!(json, "configuration: not a JSON document: line 1, column 12");

    let yaml = check(&format!("issuer: [{PLANTED}"), "yaml").fails_with(BAD).output;
    assert!(yaml.starts_with("configuration: not a YAML document: line "), "{yaml}");

    for empty in ["", "[]", "null"] {
        assert_eq!(check(empty, "yaml").fails_with(BAD).output, "configuration: expected an object");
    }
}

#[test]
fn the_vm_has_only_the_variables_that_the_document_gives_it() {
    let given = json!({"host_env_keys": ["REFRESH_TOKEN_KEY"], "key_values": {"OTHER": PLANTED}});
    let document = bootstrap(&[filter("token_endpoint.wasm", as_struct(&good()), given)]);

    let problems = check_json(&document).fails_with(BAD).output;

    let expected = "signing_keys[0].private_key: an environment variable that is not given to the VM, or is empty";
    assert_eq!(problems, expected, "although this process has it");
}

#[test]
fn a_variable_may_be_written_in_the_document() {
    let given = json!({"keyValues": {"SIGNING_KEY": *ED_DSA, "REFRESH_TOKEN_KEY": REFRESH_TOKEN_KEY}});
    let document = bootstrap(&[filter("token_endpoint.wasm", as_struct(&good()), given)]);

    check_json(&document).without_keys().succeeds();
}

#[test]
fn among_several_filters_the_ones_with_the_right_wasm_file_are_checked() {
    let theirs = filter("other.wasm", as_struct(&json!({"rules": []})), json!({}));
    let good = filter("/etc/envoy/token_endpoint.wasm", as_struct(&good()), HOST_KEYS.clone());
    let bad = filter("token_endpoint.wasm", as_struct(&json!({"colour": PLANTED})), HOST_KEYS.clone());

    check_json(&bootstrap(&[theirs.clone(), good.clone(), good.clone()])).succeeds();
    check_json(&bootstrap(std::slice::from_ref(&good))).succeeds();
    let problems = check_json(&bootstrap(&[theirs.clone(), bad, good])).fails_with(BAD).output;
    let head = |at| format!("static_resources.listeners[0].http_filters[{at}].typed_config.config.configuration:\n");
    assert!(problems.starts_with(&head(1)), "{problems}");
    assert!(problems.contains("\ncolour: unknown field"), "{problems}");
    assert!(problems.contains(&(head(2) + "issuer: ")), "{problems}");
    let unclear = check_json(&bootstrap(&[theirs.clone(), theirs])).fails_with(BAD).output;
    assert!(unclear.starts_with("configuration: several filters"), "{unclear}");
}

#[test]
fn a_document_without_the_filter_is_a_problem() {
    let told = check_json(&bootstrap(&[])).fails_with(BAD).output;
    assert_eq!(told, "configuration: no wasm or dynamic module HTTP filter, WasmPlugin or EnvoyExtensionPolicy in it");

    let other = json!({"@type": "type.googleapis.com/google.protobuf.BytesValue", "value": PLANTED});
    let told = check_json(&bootstrap(&[filter("token_endpoint.wasm", other, json!({}))])).fails_with(BAD).output;
    assert!(told.starts_with("configuration: expected a google.protobuf.Struct"), "{told}");
}

#[test]
fn the_states_of_keys_are_told_and_what_may_not_be_meant() {
    let mut configuration = good();
    let old = json!({"algorithm": "EdDSA", "private_key": {"env": "SIGNING_KEY"}, "not_after": "2100-01-01T00:00:00Z"});
    let new = json!({"algorithm": "ES256", "private_key": generate("ES256"), "not_before": "2100-01-01T00:00:00Z"});
    let gone = json!({"algorithm": "ES256", "private_key": generate("ES256"), "kid": "gone",
                      "not_before": "2001-01-01T00:00:00Z", "not_after": "2002-01-01T00:00:00Z"});
    configuration["signing_keys"] = json!([old, new, gone]);

    let summary = check_json(&configuration).succeeds();

    let lines: Vec<_> = summary.lines().filter(|line| line.starts_with("signing key: ")).collect();
    let ends = [
        ", active until 2100-01-01T00:00:00Z",
        ", next: published, signs from 2100-01-01T00:00:00Z",
        ", gone: may be removed",
    ];
    assert!(lines.len() == 3 && lines.iter().zip(ends).all(|(line, end)| line.ends_with(end)), "{summary}");
    assert!(!summary.contains("warning"), "{summary}");

    configuration["lifetimes"] = json!({"jwks": "9999999999s"});
    let summary = check_json(&configuration).succeeds();
    assert!(summary.contains("\nwarning: signing_keys[1].not_before: less than lifetimes.jwks"), "{summary}");
}

/// rotate-key of a configuration, with the new key's file in a folder of its own.
fn rotate(configuration: &Value, arguments: &[&str]) -> (Tool, PathBuf) {
    let folder = TempDir::new().unwrap();
    let config = file(&folder, "configuration.json", &configuration.to_string());
    let out = folder.path().join("new.pem");
    let mut all = vec!["rotate-key", config.to_str().unwrap(), "--out", out.to_str().unwrap()];
    all.extend(arguments);
    let mut tool = tool(&all).with_keys();
    tool.folder = Some(folder);
    (tool, out)
}

/// The printed keys as JSON, and the new key's file.
fn rotated(configuration: &Value, arguments: &[&str]) -> (String, Value, String) {
    let (mut tool, out) = rotate(configuration, arguments);
    let folder = tool.folder.take();
    let (code, yaml, steps) = tool.run();
    assert_eq!(code, DONE, "{yaml}{steps}");
    let key = fs::read_to_string(&out).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(folder);
    assert!(!yaml.contains("PRIVATE") && !steps.contains("PRIVATE"), "{yaml}{steps}");
    (yaml, json!(steps), key)
}

#[test]
fn keys_in_the_manifests_can_be_rotated_too() {
    for manifest in
        ["istio/sidecar/wasm-plugin.yaml", "istio/gateway-api/envoy-filter.yaml", "gateway/envoy-extension-policy.yaml"]
    {
        let folder = TempDir::new().unwrap();
        let config = format!("{}/envoy/{manifest}", env!("CARGO_MANIFEST_DIR"));
        let out = folder.path().join("new.pem");
        let arguments = ["rotate-key", &config, "--env", "NEW_KEY", "--out", out.to_str().unwrap()];
        let tool = tool(&arguments)
            .with("TOKEN_ENDPOINT_SIGNING_KEY", &RS256)
            .with("TOKEN_ENDPOINT_REFRESH_TOKEN_KEY", REFRESH_TOKEN_KEY);
        let (code, yaml, steps) = tool.run();
        assert_eq!((code, yaml.matches("NEW_KEY").count()), (DONE, 1), "{manifest}: {yaml}{steps}");
    }
}

#[test]
fn a_rotation_is_printed_ready_to_paste_and_is_good_in_the_configuration() {
    let (yaml, steps, key) = rotated(&good(), &["--env", "NEW_KEY"]);

    let moment = yaml.split("not_after: \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(
        yaml,
        format!(
            "signing_keys:\n\
             - {{algorithm: \"EdDSA\", not_after: \"{moment}\", private_key: {{env: \"SIGNING_KEY\"}}}}\n\
             - {{algorithm: \"EdDSA\", not_before: \"{moment}\", private_key: {{env: \"NEW_KEY\"}}}}"
        )
    );
    let steps = steps.as_str().unwrap();
    assert!(steps.contains(&moment) && steps.contains("NEW_KEY") && steps.contains("host_env_keys"), "{steps}");

    let mut rest = good();
    rest.as_object_mut().unwrap().remove("signing_keys");
    let planned = format!("{}\n{yaml}\n", as_block_yaml(&rest));
    let summary = check(&planned, "yaml").with("NEW_KEY", &key).succeeds();
    let states: Vec<_> = summary.lines().filter_map(|line| line.strip_prefix("signing key: EdDSA, kid ")).collect();
    assert!(states[0].ends_with(&format!(", active until {moment}")), "{summary}");
    assert!(states[1].ends_with(&format!(", next: published, signs from {moment}")), "{summary}");
    assert!(steps.contains(states[1].split(',').next().unwrap()), "the new kid: {steps}");
}

#[test]
fn a_rotation_leaves_out_keys_that_are_gone_and_may_change_the_algorithm() {
    let mut configuration = good();
    let gone = json!({"algorithm": "EdDSA", "private_key": {"env": "GONE"}, "not_after": "2002-01-01T00:00:00Z"});
    configuration["signing_keys"][0]["not_before"] = json!("2002-01-01T00:00:00Z");
    configuration["signing_keys"][0]["kid"] = json!("current");
    let current = configuration["signing_keys"][0].clone();
    configuration["signing_keys"] = json!([gone, current]);
    let (mut tool, _out) = rotate(&configuration, &["--env", "NEW_KEY", "--algorithm", "ES256", "--in", "2d"]);
    tool = tool.with("GONE", &generate("EdDSA"));

    let (code, yaml, steps) = tool.run();

    assert_eq!(code, DONE, "{yaml}{steps}");
    assert!(!yaml.contains("GONE") && yaml.contains("kid: \"current\""), "{yaml}");
    assert!(yaml.contains("\n- {algorithm: \"ES256\", not_before: "), "{yaml}");
}

#[test]
fn a_rotation_that_can_not_be_planned_leaves_no_key_behind() {
    let refused = |configuration: &Value, arguments: &[&str], code| {
        let (mut tool, out) = rotate(configuration, arguments);
        let folder = tool.folder.take();
        let failed = tool.fails_with(code);
        assert!(!out.exists(), "{failed:?}");
        drop(folder);
        failed.output + &failed.errors
    };
    let too_soon = refused(&good(), &["--env", "NEW_KEY", "--in", "299s"], USAGE);
    assert!(too_soon.contains("lifetimes.jwks"), "{too_soon}");
    for wrong in [
        ["--env", "1KEY", "--in", "1h"],
        ["--env", "NEW_KEY", "--in", "1"],
        ["--env", "SIGNING_KEY", "--in", "1h"],
        ["--env", "NEW_KEY", "--bits", "3072"],
    ] {
        refused(&good(), &wrong, USAGE);
    }
    let mut inline = good();
    inline["signing_keys"][0]["private_key"] = json!(*ED_DSA);
    let told = refused(&inline, &["--env", "NEW_KEY"], BAD);
    assert!(told.contains("signing_keys[0].private_key: ") && !told.contains("PRIVATE"), "{told}");
    let mut planned = good();
    planned["signing_keys"][0]["not_after"] = json!("2100-01-01T00:00:00Z");
    let next = json!({"algorithm": "ES256", "private_key": generate("ES256"), "not_before": "2100-01-01T00:00:00Z"});
    planned["signing_keys"].as_array_mut().unwrap().push(next);
    let told = refused(&planned, &["--env", "NEW_KEY"], BAD);
    assert!(told.contains("give a longer --in"), "{told}");
    refused(&json!({"colour": PLANTED}), &["--env", "NEW_KEY"], BAD);
}

#[test]
fn a_rotation_never_overwrites_a_file() {
    let (mut tool, out) = rotate(&good(), &["--env", "NEW_KEY"]);
    let folder = tool.folder.take();
    fs::write(&out, "precious").unwrap();

    tool.fails_with(SYSTEM);

    assert_eq!(fs::read_to_string(&out).unwrap(), "precious");
    drop(folder);
}

#[test]
fn the_demo_has_no_problems() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/envoy.yaml");
    let arguments = ["check-config", demo.to_str().unwrap()];

    let checked = tool(&arguments).with("TOKEN_ENDPOINT_SIGNING_KEY", &RS256);
    let summary = checked.with("TOKEN_ENDPOINT_REFRESH_TOKEN_KEY", REFRESH_TOKEN_KEY).succeeds();

    assert!(summary.contains("\nclient: TENANT_CLIENT_ID (web, secrets: 1)\n"), "{summary}");
    assert!(summary.contains("\nclient: SPA_CLIENT_ID (public, pages of http://localhost:3000)\n"), "{summary}");
    tool(&arguments).fails_with(BAD);
}

#[test]
fn the_manifests_for_istio_and_envoy_gateway_have_no_problems() {
    for file in
        ["istio/sidecar/wasm-plugin.yaml", "istio/gateway-api/envoy-filter.yaml", "gateway/envoy-extension-policy.yaml"]
    {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy").join(file);
        let arguments = ["check-config", file.to_str().unwrap()];

        let checked = tool(&arguments).with("TOKEN_ENDPOINT_SIGNING_KEY", &RS256);
        let summary = checked.with("TOKEN_ENDPOINT_REFRESH_TOKEN_KEY", REFRESH_TOKEN_KEY).succeeds();

        assert!(summary.contains("issuer: https://gateway.example.com\n"), "{summary}");
        assert_eq!(summary.contains("\nholds: /oauth2/token"), !file.ends_with("envoy-filter.yaml"), "{summary}");
        let problems = tool(&arguments).fails_with(BAD).output;
        assert!(problems.contains("signing_keys[0].private_key: an environment variable"), "{problems}");
    }
}

const REFRESH_TOKEN_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
static RS256: LazyLock<String> = LazyLock::new(|| generate("RS256"));
static ED_DSA: LazyLock<String> = LazyLock::new(|| generate("EdDSA"));
static HOST_KEYS: LazyLock<Value> = LazyLock::new(|| json!({"host_env_keys": ["SIGNING_KEY", "REFRESH_TOKEN_KEY"]}));

fn good() -> Value {
    good_with("EdDSA")
}

fn good_with(algorithm: &str) -> Value {
    json!({
        "issuer": "https://gateway.example.com",
        "signing_keys": [{"algorithm": algorithm, "private_key": {"env": "SIGNING_KEY"}}],
        "refresh_token_keys": [{"env": "REFRESH_TOKEN_KEY"}],
        "auth_sources": [{"id": "STAFF", "identifiers": ["username", "phone_number"], "users": [{
            "id": "7",
            "identifiers": {"username": "on", "phone_number": "+8613800138000"},
            "password_hash": "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        }]}],
        "clients": [{
            "id": "WEB",
            "type": "web",
            "secret_hashes": ["$sha256$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
            "auth_sources": ["STAFF"],
            "grants": ["password", "refresh_token"],
        }],
    })
}

fn mistakes() -> Value {
    let mut document = good();
    document["issuer"] = json!(format!("http://{PLANTED}.example.com"));
    document["colour"] = json!(PLANTED);
    document["lifetimes"] = json!({"access_token": PLANTED});
    document["signing_keys"][0]["private_key"] = json!(PLANTED);
    document["refresh_token_keys"][0] = json!(PLANTED);
    let users = &mut document["auth_sources"][0]["users"];
    users[0]["password"] = json!(PLANTED);
    users[0]["password_hash"] = json!(PLANTED);
    let hash = good()["auth_sources"][0]["users"][0]["password_hash"].clone();
    users.as_array_mut().unwrap().push(json!({"id": PLANTED, "password_hash": hash}));
    let client = &mut document["clients"][0];
    client["client_secret"] = json!(PLANTED);
    client["secret_hashes"][0] = json!(PLANTED);
    client["auth_sources"][0] = json!(PLANTED);
    let other = json!({"id": "SPA", "type": "spa", "auth_sources": ["STAFF"]});
    document["clients"].as_array_mut().unwrap().push(other);
    document
}

/// The same configuration in all the ways that it can be handed over.
fn wrapped(configuration: &Value) -> Vec<(String, &'static str)> {
    let text = configuration.to_string();
    let as_text = json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text});
    let envoy = |payload| bootstrap(&[filter("token_endpoint.wasm", payload, HOST_KEYS.clone())]);
    let envoy_gateway = json!({"apiVersion": "v1", "kind": "List", "items": [policy(configuration), patch_policy()]});
    let documents = [configuration.clone(), envoy(as_struct(configuration)), envoy(as_text), envoy_gateway];
    let json = documents.iter().map(|document| (document.to_string(), "json"));
    let yaml = documents.iter().map(|document| (as_block_yaml(document), "yaml"));
    json.chain(yaml).collect()
}

fn policy(configuration: &Value) -> Value {
    json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyExtensionPolicy", "spec": {"wasm": [{
        "code": {"type": "Image", "image": {"url": "registry.example.com/token-endpoint:1"}},
        "env": {"hostKeys": ["SIGNING_KEY", "REFRESH_TOKEN_KEY"]},
        "config": configuration,
    }]}})
}

fn patch_policy() -> Value {
    json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyPatchPolicy", "spec": {"jsonPatches": [
        {"operation": {"op": "add", "path": "/allow_on_headers_stop_iteration", "value": true}},
    ]}})
}

fn bootstrap(filters: &[Value]) -> Value {
    json!({"static_resources": {"listeners": [{"name": "gateway", "http_filters": filters}]}})
}

fn filter(wasm: &str, configuration: Value, environment: Value) -> Value {
    json!({"name": "a filter", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "allow_on_headers_stop_iteration": true,
            "vm_config": {"code": {"local": {"filename": wasm}}, "environment_variables": environment},
            "configuration": configuration,
        },
    }})
}

fn as_struct(configuration: &Value) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration})
}

/// Each field is first an ignored one with an anchor, as people write what they use in several places.
fn as_block_yaml(document: &Value) -> String {
    let fields = document.as_object().unwrap().iter();
    let lines = fields.map(|(name, value)| format!("!ignore shared_{name}: &{name} {value}\n{name}: *{name}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn check_json(document: &Value) -> Tool {
    check(&document.to_string(), "json")
}

/// check-config of a file, with the two keys in the environment.
fn check(text: &str, extension: &str) -> Tool {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, &format!("configuration.{extension}"), text);
    let mut tool = tool(&["check-config", path.to_str().unwrap()]).with_keys();
    tool.folder = Some(folder);
    tool
}

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn generate(algorithm: &str) -> String {
    tool(&["generate-key", "--algorithm", algorithm]).succeeds()
}

fn generate_secret() -> (String, String) {
    let output = tool(&["hash-secret", "--generate"]).succeeds();
    let (secret, hash) = output.split_once('\n').unwrap();
    (secret.strip_prefix("secret: ").unwrap().to_owned(), hash.strip_prefix("secret_hash: ").unwrap().to_owned())
}

fn matches(hash: &str, secret: &str) -> bool {
    hash.parse::<SecretHash>().unwrap().matches(&Secret::new(secret)).into()
}

/// The cheapest cost that OWASP allows.
fn cheap_hash() -> Tool {
    tool(&["hash-password", "--memory-kib", "7168", "--iterations", "5"])
}

/// A run of the tool in an empty environment.
fn tool(arguments: &[&str]) -> Tool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_token-endpoint"));
    command.args(arguments).env_clear();
    Tool { command, input: Vec::new(), folder: None }
}

struct Tool {
    command: Command,
    input: Vec<u8>,
    folder: Option<TempDir>,
}

#[derive(Debug)]
struct Failed {
    output: String,
    errors: String,
}

impl Tool {
    fn with_input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    fn with_option(mut self, option: &str) -> Self {
        self.command.arg(option);
        self
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        self.command.env(variable, value);
        self
    }

    fn with_keys(self) -> Self {
        self.with("SIGNING_KEY", &ED_DSA).with("REFRESH_TOKEN_KEY", REFRESH_TOKEN_KEY)
    }

    fn without_keys(mut self) -> Self {
        self.command.env_clear();
        self
    }

    /// What it printed, without the last line ending.
    fn succeeds(self) -> String {
        let (code, output, errors) = self.run();
        assert_eq!((code, errors.as_str()), (DONE, ""), "{output}");
        output
    }

    fn fails_with(self, expected: i32) -> Failed {
        let (code, output, errors) = self.run();
        assert_eq!(code, expected, "{output}{errors}");
        assert!(!output.contains(PLANTED) && !errors.contains(PLANTED), "{output}{errors}");
        Failed { output, errors }
    }

    fn run(mut self) -> (i32, String, String) {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        // A tool that has no use for its input closes it early.
        let _ = child.stdin.take().unwrap().write_all(&self.input);
        let output = child.wait_with_output().unwrap();
        drop(self.folder);
        let text = |bytes| String::from_utf8(bytes).unwrap().trim_end_matches('\n').to_owned();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}
