//! The demo gateway in an Envoy of its own: free ports, fresh keys, and a log that is shown when a test fails.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{http1, response::Response};

/// Far longer than a start takes on a slow machine, so that an Envoy that never comes up is a failure and not a hung test.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Gateway {
    envoy: Child,
    admin: SocketAddr,
    address: SocketAddr,
    state: TempDir,
    keys: Keys,
}

/// What the gateway finds in its environment.
#[derive(Clone)]
pub struct Keys {
    pub signing: String,
    pub refresh_token: String,
}

/// The demo's configuration, with one part of it replaced by another.
pub fn demo_with(part: &str, other: &str) -> String {
    replaced(&demo(), part, other)
}

/// A text with one part of it replaced by another; the part must be there.
pub fn replaced(text: &str, part: &str, other: &str) -> String {
    assert!(text.contains(part), "no {part:?} in the text to change");
    text.replace(part, other)
}

/// The demo's configuration as it is in the repository, but for its ports: any that are free.
pub fn demo() -> String {
    let yaml = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/envoy.yaml")).unwrap();
    let yaml = replaced(&yaml, "port_value: 10000", "port_value: 0");
    replaced(&yaml, "port_value: 9901", "port_value: 0")
}

/// A key of the operator's tool.
pub fn generate_key(algorithm: &str) -> String {
    let output = tool("generate-key").args(["--algorithm", algorithm]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What the operator's tool prints about a configuration that it must refuse.
pub fn check_config(yaml: &str, keys: &Keys) -> String {
    let state = TempDir::new().unwrap();
    let file = state.path().join("envoy.yaml");
    fs::write(&file, yaml).unwrap();
    let output = with_keys(tool("check-config").arg(file), keys).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn tool(command: &str) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_token-endpoint"));
    tool.arg(command);
    tool
}

fn with_keys<'a>(command: &'a mut Command, keys: &Keys) -> &'a mut Command {
    command
        .env("TOKEN_ENDPOINT_SIGNING_KEY", &keys.signing)
        .env("TOKEN_ENDPOINT_REFRESH_TOKEN_KEY", &keys.refresh_token)
}

impl Keys {
    /// The same keys for all tests of a run: RSA keys take long to make.
    pub fn of_this_run() -> Self {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        KEYS.get_or_init(|| Self { signing: generate_key("RS256"), refresh_token: generate_key("refresh-token") })
            .clone()
    }
}

impl Gateway {
    /// The demo as it is.
    pub fn start() -> Self {
        Self::start_with(&demo(), Keys::of_this_run())
    }

    /// The demo with another configuration or other keys.
    pub fn start_with(yaml: &str, keys: Keys) -> Self {
        let state = state_folder(yaml);
        let mut envoy = spawn(state.path(), &keys);
        let (admin, address) = wait_until_live(&mut envoy, state.path());
        Self { envoy, admin, address, state, keys }
    }

    /// Ends Envoy and starts it again with the same configuration and the same keys.
    pub fn restart(&mut self) {
        self.stop();
        fs::remove_file(self.state.path().join("admin")).unwrap();
        self.envoy = spawn(self.state.path(), &self.keys);
        (self.admin, self.address) = wait_until_live(&mut self.envoy, self.state.path());
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A login or another form sent to the token endpoint.
    pub fn token(&self, form: &str) -> Response {
        http1::post_form(self.address, "/oauth2/token", form)
    }

    /// A call to the protected service.
    pub fn api(&self, token: &str) -> Response {
        http1::get(self.address, "/api/", &[("authorization", &format!("Bearer {token}"))])
    }

    pub fn jwks(&self) -> Response {
        http1::get(self.address, "/oauth2/jwks", &[])
    }

    pub fn log(&self) -> String {
        log_in(self.state.path())
    }

    /// How many requests have left for an upstream: the service, or the keys on behalf of `jwt_authn`.
    pub fn upstream_requests(&self) -> u64 {
        let stats =
            http1::get(self.admin, "/stats?format=json&filter=^cluster.(api|jwks).upstream_rq_total$", &[]).json();
        let counters = stats["stats"].as_array().unwrap();
        assert!(!counters.is_empty(), "no counters: {stats}");
        counters.iter().map(|counter| counter["value"].as_u64().unwrap()).sum()
    }

    /// Bytes of memory that Envoy holds, the VMs of its workers included.
    #[cfg(target_os = "linux")]
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.envoy.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kibibytes * 1024
    }

    fn stop(&mut self) {
        self.envoy.kill().unwrap();
        self.envoy.wait().unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            eprintln!("Envoy's log:\n{}", self.log());
        }
    }
}

/// The log of an Envoy that must refuse its configuration.
pub fn log_of_refusal(yaml: &str, keys: &Keys) -> String {
    let state = state_folder(yaml);
    let mut envoy = spawn(state.path(), keys);
    let exit = poll("Envoy to refuse its configuration", || envoy.try_wait().unwrap(), state.path());
    let log = log_in(state.path());
    assert!(!exit.success(), "Envoy ended well:\n{log}");
    log
}

fn state_folder(yaml: &str) -> TempDir {
    let state = TempDir::new().unwrap();
    fs::copy(from_make("TOKEN_ENDPOINT_WASM"), state.path().join("token_endpoint.wasm")).unwrap();
    fs::write(state.path().join("envoy.yaml"), yaml).unwrap();
    state
}

fn spawn(state: &Path, keys: &Keys) -> Child {
    let log = File::options().create(true).append(true).open(state.join("log")).unwrap();
    let mut envoy = Command::new(from_make("ENVOY"));
    envoy
        .args(["--config-path", "envoy.yaml", "--admin-address-path", "admin"])
        .args(["--concurrency", "2", "--disable-hot-restart"])
        .args(["--log-level", "warning", "--component-log-level", "wasm:info"])
        .current_dir(state)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    with_keys(&mut envoy, keys).spawn().unwrap()
}

fn from_make(variable: &str) -> PathBuf {
    let value = std::env::var_os(variable);
    value.unwrap_or_else(|| panic!("{variable} is not set: run these tests by `make test`")).into()
}

/// Where admin and the gateway listen, once Envoy serves.
fn wait_until_live(envoy: &mut Child, state: &Path) -> (SocketAddr, SocketAddr) {
    let ready = || {
        assert_eq!(envoy.try_wait().unwrap(), None, "Envoy ended:\n{}", log_in(state));
        let admin = fs::read_to_string(state.join("admin")).ok()?.trim().parse().ok()?;
        let is_live = http1::get(admin, "/ready", &[]).text() == "LIVE\n";
        is_live.then(|| (admin, gateway_address(admin)))
    };
    poll("Envoy to be live", ready, state)
}

fn gateway_address(admin: SocketAddr) -> SocketAddr {
    let statuses = http1::get(admin, "/listeners?format=json", &[]).json();
    let listeners = statuses["listener_statuses"].as_array().unwrap();
    let gateway = listeners.iter().find(|listener| listener["name"] == "gateway").unwrap();
    let port = gateway["local_address"]["socket_address"]["port_value"].as_u64().unwrap();
    (Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap()).into()
}

/// Asks again and again until there is an answer.
fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>, state: &Path) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}:\n{}", log_in(state));
        thread::sleep(Duration::from_millis(20));
    }
}

fn log_in(state: &Path) -> String {
    fs::read_to_string(state.join("log")).unwrap_or_default()
}
