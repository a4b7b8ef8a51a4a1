//! The stories of `docs/api.md` on the pure core, with the demo's own configuration: the same that `gateway.rs` tells Envoy.

use std::path::Path;

use crate::support::{
    configuration::SEAL_KEY,
    core::Core,
    stories::{PASSWORD_ONLY_CLIENT, stories},
};
use token_endpoint::cli::check_config;

const DEMO: &str = include_str!("../../envoy/envoy.yaml");
const SIGNING_KEY: &str = include_str!("../vectors/rfc7515-a2.pkcs8.pem");

fn demo() -> Core {
    let demo = DEMO.replacen("clients:\n", &format!("clients:\n                    - {PASSWORD_ONLY_CLIENT}\n"), 1);
    let configurations = check_config::configurations(&demo, Path::new("envoy.yaml")).unwrap();
    let environment = [("TOKEN_ENDPOINT_SIGNING_KEY", SIGNING_KEY), ("TOKEN_ENDPOINT_REFRESH_TOKEN_KEY", SEAL_KEY)];
    Core::new(configurations.first().unwrap(), &environment)
}

#[test]
fn every_story_of_the_api_is_true_of_the_pure_core() {
    let mut wrong = Vec::new();
    for story in stories() {
        let answer = demo().send(&story.request);
        let mut headers: Vec<(&str, &str)> =
            answer.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut expected = story.expected.headers.clone();
        headers.sort_unstable();
        expected.sort_unstable();
        let body = String::from_utf8(answer.body.clone()).unwrap();
        if (answer.status, &headers, &body) != (story.expected.status, &expected, &story.expected.body) {
            wrong.push(format!("{}: {} {headers:?} {body}", story.name, answer.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
