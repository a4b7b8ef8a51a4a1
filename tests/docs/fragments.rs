//! Parts of a configuration as pages show them: each is put into the demo's, and read by the reader that Envoy's filter has.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Map, Value, json};
use token_endpoint::{cli::check_config, config, time::UnixTime};

use super::markdown::repository;
use crate::support::{
    gateway::{Keys, demo},
    manifests,
};

/// A moment before all schedules on the pages: 1 January 2026.
const NOW: UnixTime = UnixTime(1_767_225_600);

/// Lists to which a page adds; everything else is set.
const LISTS: [&str; 2] = ["auth_sources", "clients"];

/// Takes what the filter accepts by itself, or in the demo's configuration.
pub fn accept(part: &str) -> Result<(), String> {
    let part = match manifests::value(part, Path::new("part.yaml")) {
        Value::Object(part) => part,
        // Nothing but comments.
        Value::Null => Map::new(),
        _ => return Err("not a part of the filter's configuration".to_owned()),
    };
    let alone = problems(&part.clone().into());
    let accepted = alone.or_else(|_| problems(&merged(base(), part).into()));
    accepted.map_err(|problems| problems.join("\n"))
}

/// Takes lines of a log that tell what the filter has against a configuration, as far as these mistakes bring about such.
pub fn refuse(lines: &str) -> Result<(), String> {
    let known: BTreeSet<_> = mistakes().into_iter().map(|problem| anywhere(&problem)).collect();
    for line in lines.lines() {
        let problem = line.strip_prefix("configuration refused: ").ok_or("no rule covers this line")?;
        if !known.contains(&anywhere(problem)) {
            return Err(format!("no mistake here is told like this: {line}\nthese are: {known:#?}"));
        }
    }
    Ok(())
}

fn mistakes() -> Vec<String> {
    let malformed_hash = json!("$argon2id$v=19$m=19456,t=2,p=1$***$SuU4DoW7lVj+0l5TmxoxyjbXbA3OldHURmteUUuCP+g");
    let mistakes = [
        ("/auth_sources/0/users/0/password_hash", malformed_hash),
        ("/clients/0/auth_sources/0", json!("NO_AUTH_SOURCE_ID")),
    ];
    let mut configuration = Value::from(base());
    for (place, value) in mistakes {
        *configuration.pointer_mut(place).unwrap() = value;
    }
    problems(&configuration).unwrap_err()
}

/// A problem wherever in its list it is.
fn anywhere(problem: &str) -> String {
    problem.chars().filter(|character| !character.is_ascii_digit()).collect()
}

fn base() -> Map<String, Value> {
    let configurations = check_config::configurations(&demo(), Path::new("envoy.yaml")).unwrap();
    serde_json::from_str(&configurations[0]).unwrap()
}

fn merged(mut base: Map<String, Value>, part: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in part {
        match (base.get_mut(&name), value) {
            (Some(Value::Array(known)), Value::Array(more)) if LISTS.contains(&name.as_str()) => known.extend(more),
            (_, value) => _ = base.insert(name, value),
        }
    }
    base
}

fn problems(configuration: &Value) -> Result<(), Vec<String>> {
    let document = configuration.to_string();
    let parsed = config::parse_any(document.as_bytes(), &|name| Some(variable(name)), NOW);
    parsed.map(drop).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// What is in a variable of this name: a signing key if it is none of these.
fn variable(name: &str) -> String {
    match name {
        name if name.ends_with("REFRESH_TOKEN_KEY") => Keys::of_this_run().refresh_token,
        "KEY_2" => fs::read_to_string(repository().join("tests/vectors/rfc7515-a2.pkcs8.pem")).unwrap(),
        "DIRECTORY_TOKEN" => "b64token".to_owned(),
        _ => Keys::of_this_run().signing,
    }
}
