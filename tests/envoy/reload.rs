//! A configuration that changes again and again under load: what is under way is finished, and nothing is forgotten.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    files::{split_filter, split_listeners},
    gateway::{self, Gateway, Keys, generate_key, poll, replaced},
    http1,
    response::Response,
    stories::SAMPLE,
};

const LOGIN_CLIENTS: u64 = 10;
const LOGINS_PER_SECOND: u64 = 20;
const REFRESH_CLIENTS: u64 = 20;
const REFRESHES_PER_SECOND: u64 = 200;
/// Of `MOCK_PASSWORD`: a check of several slices, at a part of the demo's cost, so that a busy machine keeps up.
const CHEAP: &str = "$scrypt$ln=11,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$GWfmsS1s1uanDK3dULScyDOTFaXPkJNqt0YBpx3fGy4";
/// Of the same password, over 128 MiB.
const LARGE: &str =
    "$argon2id$v=19$m=131072,t=1,p=1$4I7xZ/NR/6StF7V5xZOQxw$XLkKz99IMst30o2CBVZcwv+/saop7sCJtyKU1cH3uk4";

#[test]
fn listeners_that_change_every_second_lose_nothing() {
    let (yaml, listeners) = split_listeners(&lighter(&gateway::demo()));
    live_through_changes(&yaml, "listeners.yaml", &listeners);
}

#[test]
fn a_filter_that_changes_every_second_loses_nothing() {
    let (yaml, filter) = split_filter(&lighter(&gateway::demo()));
    live_through_changes(&yaml, "filter.yaml", &filter);
}

/// A VM has 1 GiB for all its plugins, those whose listeners drain included, for ten minutes by default.
#[test]
fn listeners_that_drain_keep_none_of_the_memory_that_checks_need() {
    let (yaml, listeners) = split_listeners(&replaced(&gateway::demo(), DEMO_HASH, LARGE));
    let gateway = Gateway::start_with_file(1, &yaml, "listeners.yaml", &version(&listeners, 300), ec_keys());
    for lifetime in 301..=312 {
        gateway.replace_file("listeners.yaml", &version(&listeners, lifetime));
        poll("the change to come into force", || {
            (expect_tokens(&gateway, SAMPLE).json()["expires_in"] == lifetime).then_some(())
        });
    }
}

/// Changes the lifetime of access tokens every second, while people log in and refresh.
fn live_through_changes(yaml: &str, file: &str, text: &str) {
    let gateway = Gateway::start_with_file(2, yaml, file, &version(text, 300), ec_keys());
    let guesses = guess_until_limited(&gateway);
    let over = AtomicBool::new(false);
    let [logins, refreshes] = [(); 2].map(|()| AtomicU64::new(0));
    let seen = thread::scope(|scope| {
        for _ in 0..LOGIN_CLIENTS {
            scope.spawn(|| {
                at_a_rate(LOGINS_PER_SECOND, LOGIN_CLIENTS, &over, &logins, || drop(expect_tokens(&gateway, SAMPLE)))
            });
        }
        for _ in 0..REFRESH_CLIENTS {
            scope.spawn(|| {
                let mut token = expect_tokens(&gateway, SAMPLE).field("refresh_token");
                at_a_rate(REFRESHES_PER_SECOND, REFRESH_CLIENTS, &over, &refreshes, || {
                    token = expect_tokens(&gateway, &refresh(&token)).field("refresh_token");
                });
            });
        }
        let _end = AtEnd(&over);
        change_every_second(&gateway, file, text)
    });
    let (logins, refreshes) = (logins.into_inner(), refreshes.into_inner());
    println!("{logins} logins, {refreshes} refreshes, {seen} versions seen in {:?}", length());
    assert!(seen >= length().as_secs() / 2, "the changes came into force");
    assert!(refreshes > length().as_secs() * REFRESHES_PER_SECOND / 4, "there was load");
    let more: Vec<_> = (0..2).map(|_| gateway.token(&guesses).status).collect();
    assert!(more.contains(&429), "{more:?}: the counters live on, though the wait may be over");
    assert!(!gateway.log().contains("panic"), "{}", gateway.log());
    let waiting = gateway.filter_counter("waiting_checks");
    assert_eq!(waiting, 0, "filters that are gone have left something behind");
}

/// Tells the clients to end, in a failure too, which would have to wait for them otherwise.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// How many of the versions were seen in force.
fn change_every_second(gateway: &Gateway, file: &str, text: &str) -> u64 {
    let until = Instant::now() + length();
    let mut seen = 0;
    for number in 1.. {
        if Instant::now() > until {
            break;
        }
        let lifetime = 300 + number;
        gateway.replace_file(file, &version(text, lifetime));
        thread::sleep(Duration::from_secs(1));
        let tokens = expect_tokens(gateway, SAMPLE).json();
        seen += u64::from(tokens["expires_in"] == lifetime);
    }
    seen
}

fn at_a_rate(per_second: u64, clients: u64, over: &AtomicBool, count: &AtomicU64, mut act: impl FnMut()) {
    let pause = Duration::from_secs(clients) / u32::try_from(per_second).unwrap();
    let mut due = Instant::now();
    while !over.load(Ordering::SeqCst) {
        act();
        count.fetch_add(1, Ordering::SeqCst);
        due += pause;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

fn expect_tokens(gateway: &Gateway, form: &str) -> Response {
    let answer = http1::post_form(gateway.address(), "/oauth2/token", form);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

fn refresh(token: &str) -> String {
    format!(
        "grant_type=refresh_token&client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET&refresh_token={token}"
    )
}

/// Its signatures are quick in every Envoy: it is not the machine's capacity that is in question.
fn ec_keys() -> Keys {
    Keys { signing: generate_key("ES256"), ..Keys::of_this_run() }
}

/// Wrong passwords for a user of their own, up to the limit.
fn guess_until_limited(gateway: &Gateway) -> String {
    let guess =
        replaced(&replaced(SAMPLE, "username=MOCK_USERNAME", "username=LOCKED_USERNAME"), "MOCK_PASSWORD&", "WRONG&");
    let statuses: Vec<_> = (0..6).map(|_| gateway.token(&guess).status).collect();
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429]);
    guess
}

fn length() -> Duration {
    let seconds = std::env::var("RELOAD_SECONDS").ok().map_or(6, |seconds| seconds.parse().unwrap());
    Duration::from_secs(seconds)
}

/// The demo with a cheaper hash, unless the run is a long one, on a machine that can do it.
fn lighter(yaml: &str) -> String {
    if std::env::var_os("RELOAD_SECONDS").is_some() {
        return yaml.to_owned();
    }
    let yaml = replaced(yaml, DEMO_HASH, CHEAP);
    replaced(&yaml, "password_checks:", "allow_weak_hashes: true\n                    password_checks:")
}

const DEMO_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$biC0YMo3xwH/z+frQL4zwQ$SuU4DoW7lVj+0l5TmxoxyjbXbA3OldHURmteUUuCP+g";

fn version(text: &str, lifetime: u64) -> String {
    let text = replaced(text, "algorithm: RS256", "algorithm: ES256");
    let with_lifetime = format!("lifetimes: {{access_token: {lifetime}s}}\n                    password_checks:");
    replaced(&text, "password_checks:", &with_lifetime)
}
