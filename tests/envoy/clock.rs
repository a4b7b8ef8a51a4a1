//! A clock that jumps forty days ahead and back again, as only Envoy sees it: what has ended stays ended.

use std::{fs, path::Path, process::Command};

use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use serde_json::Value;
use tempfile::TempDir;

use token_endpoint::{
    state::{FamilyId, TokenId},
    time::UnixTime,
};

use crate::{
    families::{forge, open},
    support::{
        gateway::{self, Gateway, Keys, poll},
        http1,
        response::Response,
        stories::{SAMPLE, TENANT},
    },
};

const INACTIVE: &str = r#"{"active":false}"#;
const INVALID: &str = r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#;
/// Of the table of what is remembered.
const BUCKETS: u64 = 2048;
const FORTY_DAYS: u64 = 40 * 24 * 3600;

/// Envoy, and the file that says how far its clock is ahead.
struct World {
    gateway: Gateway,
    folder: TempDir,
}

impl World {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        put(folder.path(), 0);
        let environment = vec![("LD_PRELOAD", clock_library(folder.path())), ("CLOCK_AHEAD", clock(folder.path()))];
        let gateway = Gateway::start_with_environment(&gateway::demo(), environment, Keys::of_this_run());
        Self { gateway, folder }
    }

    /// Sets the clock, and sees that the filter's has followed.
    fn jump(&self, ahead: u64) {
        let here = now();
        put(self.folder.path(), ahead);
        poll("the clock to jump", || {
            let issued = claims(&self.log_in().field("access_token"))["iat"].as_u64().unwrap();
            (issued.abs_diff(here + ahead) < FORTY_DAYS / 2).then_some(())
        });
    }

    fn log_in(&self) -> Response {
        let tokens = self.gateway.token(SAMPLE);
        assert_eq!(tokens.status, 200, "{tokens:?}");
        tokens
    }

    fn refresh(&self, tokens: &Response) -> Response {
        let token = tokens.field("refresh_token");
        self.gateway.token(&format!("grant_type=refresh_token&{TENANT}&refresh_token={token}"))
    }

    fn refreshed(&self, tokens: &Response) -> Response {
        let answer = self.refresh(tokens);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    fn revoke(&self, token: &str) {
        let answer = http1::post_form(self.gateway.address(), "/oauth2/revoke", &format!("{TENANT}&token={token}"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    fn introspection(&self, token: &str) -> Response {
        http1::post_form(self.gateway.address(), "/oauth2/introspect", &format!("{TENANT}&token={token}"))
    }

    fn is_active(&self, token: &str) -> bool {
        self.introspection(token).json()["active"] == true
    }

    /// Has somebody remembered where this is remembered: then the memory drops what has ended by itself.
    fn use_memory_beside(&self, place: u64) {
        let neighbour = FamilyId(place % BUCKETS + BUCKETS);
        let issued_at = UnixTime(now() + FORTY_DAYS);
        let token = forge(&Keys::of_this_run(), neighbour, issued_at);
        let answer = self.gateway.token(&format!("grant_type=refresh_token&{TENANT}&refresh_token={token}"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    fn assert_ended(&self, tokens: &Response) {
        assert_eq!(self.refresh(tokens).text(), INVALID);
        for name in ["access_token", "refresh_token"] {
            assert_eq!(self.introspection(&tokens.field(name)).text(), INACTIVE, "{name}");
        }
    }
}

/// What comes between Envoy and its clock: `clock.c`.
fn clock_library(folder: &Path) -> String {
    let library = folder.join("clock.so").display().to_string();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envoy/clock.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o", &library, source]).status().unwrap();
    assert!(built.success());
    library
}

fn clock(folder: &Path) -> String {
    folder.join("clock").display().to_string()
}

/// At once: the clock is read at any time.
fn put(folder: &Path, ahead: u64) {
    let new = folder.join("new");
    fs::write(&new, ahead.to_string()).unwrap();
    fs::rename(new, clock(folder)).unwrap();
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

fn claims(token: &str) -> Value {
    let claims = Base64UrlSafeNoPadding::decode_to_vec(token.split('.').nth(1).unwrap(), None).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

fn id_of(token: &str) -> TokenId {
    TokenId::parse(claims(token)["jti"].as_str().unwrap()).unwrap()
}

#[test]
fn what_is_revoked_stays_so_over_a_clock_that_jumps_ahead_and_back() {
    let world = World::start();
    let [family, alone, good] = [(); 3].map(|()| world.log_in());
    let access_token = alone.field("access_token");
    assert!(world.is_active(&family.field("access_token")) && world.is_active(&access_token));
    world.revoke(&family.field("refresh_token"));
    world.revoke(&access_token);
    world.assert_ended(&family);
    assert_eq!(world.introspection(&access_token).text(), INACTIVE);
    assert!(world.is_active(&good.field("access_token")));

    world.jump(FORTY_DAYS);
    assert!(!world.is_active(&good.field("access_token")), "all that was given before has ended by itself");
    let revoked = [open(&family.field("refresh_token")).family.0, id_of(&access_token).unique()];
    revoked.into_iter().for_each(|place| world.use_memory_beside(place));
    world.jump(0);

    world.assert_ended(&family);
    assert_eq!(world.introspection(&access_token).text(), INACTIVE);
    assert_eq!(world.refreshed(&world.log_in()).status, 200, "life goes on");
}
