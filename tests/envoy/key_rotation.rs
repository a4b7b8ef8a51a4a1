//! The rotation of keys in a real Envoy, under traffic: one configuration that plans it, and clients that notice nothing.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::support::{
    gateway::{self, Gateway, Keys, generate_key},
    response::Response,
    stories::SAMPLE,
};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use token_endpoint::time::UnixTime;

const SIGNING_KEYS: &str = "signing_keys:
                    - {algorithm: RS256, private_key: {env: TOKEN_ENDPOINT_SIGNING_KEY}}
                    refresh_token_keys:
                    - {env: TOKEN_ENDPOINT_REFRESH_TOKEN_KEY}
";
/// Far longer than a rotation takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// Keys beside those of the run: the old one signs before the moment, those of the run after it.
struct Rotation {
    old: String,
    new_seal: String,
}

impl Rotation {
    fn new() -> Self {
        Self { old: generate_key("ES256"), new_seal: generate_key("refresh-token") }
    }

    fn yaml(&self, moment: UnixTime) -> String {
        let Self { old, new_seal } = self;
        gateway::demo_with(
            SIGNING_KEYS,
            &format!(
                "lifetimes: {{access_token: 2s, id_token: 3s, jwks: 2s}}
                    signing_keys:
                    - {{algorithm: ES256, kid: old, private_key: {old:?}, not_after: \"{moment}\"}}
                    - {{algorithm: RS256, kid: new, private_key: {{env: TOKEN_ENDPOINT_SIGNING_KEY}}, not_before: \"{moment}\"}}
                    refresh_token_keys:
                    - {{env: TOKEN_ENDPOINT_REFRESH_TOKEN_KEY}}
                    - {{key: {new_seal}, not_before: \"{moment}\"}}
"
            ),
        )
    }

    /// A gateway whose old key signs still: the moment is as far ahead as its start takes here.
    fn start(&self) -> (Gateway, UnixTime) {
        let keys = Keys::of_this_run();
        let mut attempts = [12, 40, 120].into_iter().map(|seconds| {
            let moment = now().after(Duration::from_secs(seconds));
            (Gateway::start_with(&self.yaml(moment), keys.clone()), moment)
        });
        let in_time = |moment| now().after(Duration::from_secs(4)) < moment;
        attempts.find(|(_, moment)| in_time(*moment)).expect("Envoy starts within two minutes")
    }
}

fn now() -> UnixTime {
    SystemTime::now().into()
}

/// Someone who verifies tokens by the book: with a copy of the keys that is kept exactly as long as was announced.
struct Verifier<'a> {
    gateway: &'a Gateway,
    copy: JwkSet,
    kept_until: Instant,
    /// The kids of each copy in its turn, those that are the same as the last left out.
    published: Vec<Vec<String>>,
}

impl<'a> Verifier<'a> {
    fn new(gateway: &'a Gateway) -> Self {
        let mut verifier =
            Self { gateway, copy: JwkSet { keys: vec![] }, kept_until: Instant::now(), published: vec![] };
        verifier.fetch();
        verifier
    }

    fn fetch(&mut self) {
        let answer = self.gateway.jwks();
        let cache_control = answer.header("cache-control").unwrap();
        let max_age: u64 = cache_control.strip_prefix("public, max-age=").unwrap().parse().unwrap();
        assert!((1..=2).contains(&max_age), "{cache_control}");
        self.kept_until = Instant::now() + Duration::from_secs(max_age);
        self.copy = serde_json::from_slice(&answer.body).unwrap();
        let kids: Vec<String> = self.copy.keys.iter().filter_map(|key| key.common.key_id.clone()).collect();
        if self.published.last() != Some(&kids) {
            self.published.push(kids);
        }
    }

    /// The kid of a token that is good, and its end.
    fn verify(&mut self, token: &str) -> (String, u64) {
        if Instant::now() >= self.kept_until {
            self.fetch();
        }
        let header = jsonwebtoken::decode_header(token).unwrap();
        let kid = header.kid.unwrap();
        let key = self.copy.find(&kid).unwrap_or_else(|| panic!("{kid} is not in {:?}", self.published.last()));
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&["TENANT_CLIENT_ID"]);
        let verified =
            jsonwebtoken::decode::<serde_json::Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation);
        (kid, verified.unwrap().claims["exp"].as_u64().unwrap())
    }
}

fn refresh(gateway: &Gateway, answer: &Response) -> Response {
    let token = answer.field("refresh_token");
    gateway.token(&format!(
        "grant_type=refresh_token&client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET&refresh_token={token}"
    ))
}

#[test]
fn nobody_who_keeps_the_keys_as_long_as_announced_refuses_a_token_during_a_rotation() {
    let rotation = Rotation::new();
    let (gateway, moment) = rotation.start();
    let mut verifier = Verifier::new(&gateway);
    let (mut signers, mut living) = (BTreeSet::new(), Vec::<(String, u64)>::new());
    let mut sealed_before = gateway.token(SAMPLE);
    let mut latest = gateway.token(SAMPLE);
    let started = Instant::now();

    while verifier.published.last().is_some_and(|kids| kids.iter().any(|kid| kid == "old")) || signers.len() < 2 {
        assert!(started.elapsed() < PATIENCE, "{signers:?} {:?}", verifier.published);
        let login = gateway.token(SAMPLE);
        if now() < moment {
            sealed_before = login;
        }
        latest = refresh(&gateway, &latest);
        assert_eq!(latest.status, 200, "{latest:?}");
        let access_token = latest.field("access_token");
        for token in [access_token.clone(), latest.field("id_token")] {
            let (kid, end) = verifier.verify(&token);
            signers.insert(kid);
            living.push((token, end));
        }
        assert_eq!(gateway.api(&access_token).status, 200, "the gateway's own verifier has a copy too");
        living.retain(|(_, end)| *end > now().0);
        for (token, _) in &living {
            verifier.verify(token);
        }
        thread::sleep(Duration::from_millis(40));
    }

    assert_eq!(signers, BTreeSet::from(["new".to_owned(), "old".to_owned()]));
    assert_eq!(verifier.published, [vec!["old", "new"], vec!["new"]], "both until the last old token expired");
    a_new_key_seals_and_the_old_one_opens(&rotation, &gateway, &sealed_before, &latest);
}

/// With the other key alone, each of the two texts tells which key it was sealed with.
fn a_new_key_seals_and_the_old_one_opens(
    rotation: &Rotation,
    gateway: &Gateway,
    sealed_before: &Response,
    sealed_after: &Response,
) {
    let keys = Keys { refresh_token: rotation.new_seal.clone(), ..Keys::of_this_run() };
    let new_alone = Gateway::start_with(&gateway::demo(), keys);
    assert_eq!(refresh(&new_alone, sealed_before).status, 400);
    assert_eq!(refresh(&new_alone, sealed_after).status, 200);
    assert_eq!(refresh(gateway, sealed_before).status, 200);
}

#[test]
fn envoy_refuses_a_configuration_that_leaves_it_without_a_key_and_warns_of_one_that_nobody_can_know_in_time() {
    let keys = Keys::of_this_run();
    let yaml = gateway::demo_with(
        "private_key: {env: TOKEN_ENDPOINT_SIGNING_KEY}}",
        "private_key: {env: TOKEN_ENDPOINT_SIGNING_KEY}, not_after: 2100-01-01T00:00:00Z}",
    );
    let log = gateway::log_of_refusal(&yaml, &keys);
    let refusal = "configuration refused: signing_keys[0].not_after: no key signs from then on";
    assert!(log.contains(refusal), "{log}");

    let soon = now().after(Duration::from_secs(250));
    let next = format!(
        "- {{algorithm: ES256, private_key: {:?}, not_before: \"{soon}\"}}\n{:20}refresh_token_keys:",
        generate_key("ES256"),
        ""
    );
    let gateway = Gateway::start_with(&gateway::demo_with("refresh_token_keys:", &next), keys);
    let warning = "configuration: signing_keys[1].not_before: less than lifetimes.jwks from now";
    assert!(gateway.log().contains(warning), "{}", gateway.log());
}
