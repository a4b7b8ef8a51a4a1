//! The demo gateway in an Envoy of its own: free ports, fresh keys, and a log that is shown when a test fails.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{http1, response::Response, start::free_port};

/// Far longer than a start takes on a slow machine, so that an Envoy that never comes up is a failure and not a hung test.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the demo's configuration calls the filter.
const FILTER: &str = "token_endpoint.wasm";

pub struct Gateway {
    envoy: Envoy,
    admin: SocketAddr,
    address: SocketAddr,
    state: TempDir,
    keys: Keys,
    manner: Manner,
}

/// How Envoy is started.
#[derive(Clone)]
struct Manner {
    workers: u32,
    filter_log: Level,
    environment: Vec<(&'static str, String)>,
}

/// How much of what the filter says is in the log.
#[derive(Clone, Copy)]
enum Level {
    Info,
    Debug,
}

impl Default for Manner {
    fn default() -> Self {
        Self { workers: 2, filter_log: Level::Info, environment: Vec::new() }
    }
}

/// A process that ends with its test, however that ends.
struct Envoy {
    process: Child,
    log: PathBuf,
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
    demo_on(0, 0)
}

/// The same with these ports for the gateway and for the sample application.
fn demo_on(gateway: u16, sample: u16) -> String {
    let file = if is_module() { "dynamic-module.yaml" } else { "envoy.yaml" };
    let yaml = fs::read_to_string(envoy_folder().join(file)).unwrap();
    let yaml = replaced(&yaml, "port_value: 10000", &format!("port_value: {gateway}"));
    let yaml = replaced(&yaml, "port_value: 3000", &format!("port_value: {sample}"));
    replaced(&yaml, "port_value: 9901", "port_value: 0")
}

/// The demo with a sample application that knows where the gateway is, and is known there; and the application's port.
pub fn demo_with_sample() -> (String, u16) {
    let [gateway, sample] = [(); 2].map(|()| free_port());
    let yaml = demo_on(gateway, sample);
    let yaml = replaced(&yaml, "127.0.0.1:10000", &format!("127.0.0.1:{gateway}"));
    (replaced(&yaml, "localhost:3000", &format!("localhost:{sample}")), sample)
}

/// Whether the stories are those of the dynamic module, and not of the VM.
pub fn is_module() -> bool {
    module().is_some()
}

fn module() -> Option<PathBuf> {
    std::env::var_os("TOKEN_ENDPOINT_MODULE").map(PathBuf::from)
}

fn component_log(level: Level) -> String {
    let component = if is_module() { "dynamic_modules" } else { "wasm" };
    let level = match level {
        Level::Info => "info",
        Level::Debug => "debug",
    };
    format!("{component}:{level}")
}

fn envoy_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy")
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
        Self::start_with_workers(2, yaml, keys)
    }

    /// The same with another number of workers.
    pub fn start_with_workers(workers: u32, yaml: &str, keys: Keys) -> Self {
        Self::start_in(state_folder(yaml), Manner { workers, ..Manner::default() }, keys)
    }

    /// A gateway that takes a part of its configuration from a file beside it, which can be changed while it runs.
    pub fn start_with_file(workers: u32, yaml: &str, name: &str, text: &str, keys: Keys) -> Self {
        let state = state_folder(yaml);
        fs::write(state.path().join(name), text).unwrap();
        Self::start_in(state, Manner { workers, ..Manner::default() }, keys)
    }

    /// The same with a filter that was built elsewhere.
    pub fn start_filter(filter: &Path, workers: u32, yaml: &str, keys: Keys) -> Self {
        let state = state_folder(yaml);
        fs::copy(filter, state.path().join(FILTER)).unwrap();
        Self::start_in(state, Manner { workers, ..Manner::default() }, keys)
    }

    /// A gateway of which the log has all that the filter says.
    pub fn start_talkative(yaml: &str, keys: Keys) -> Self {
        Self::start_in(state_folder(yaml), Manner { filter_log: Level::Debug, ..Manner::default() }, keys)
    }

    /// A gateway with further variables in its environment.
    pub fn start_with_environment(yaml: &str, environment: Vec<(&'static str, String)>, keys: Keys) -> Self {
        Self::start_in(state_folder(yaml), Manner { environment, ..Manner::default() }, keys)
    }

    /// Replaces a file at once, as Envoy's file watch wants it.
    pub fn replace_file(&self, name: &str, text: &str) {
        let new = self.state.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.state.path().join(name)).unwrap();
    }

    fn start_in(state: TempDir, manner: Manner, keys: Keys) -> Self {
        let mut envoy = Envoy::start(state.path(), &keys, &manner);
        let (admin, address) = envoy.wait_until_live(state.path());
        Self { envoy, admin, address, state, keys, manner }
    }

    /// Ends Envoy and starts it again with the same configuration and the same keys.
    pub fn restart(&mut self) {
        self.envoy.stop();
        fs::remove_file(self.state.path().join("admin")).unwrap();
        self.envoy = Envoy::start(self.state.path(), &self.keys, &self.manner);
        (self.admin, self.address) = self.envoy.wait_until_live(self.state.path());
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn admin(&self) -> SocketAddr {
        self.admin
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
        fs::read_to_string(self.log_file()).unwrap()
    }

    /// Where the log is.
    pub fn log_file(&self) -> &Path {
        &self.envoy.log
    }

    /// How many requests have left for an upstream: the service, or the keys on behalf of `jwt_authn`.
    pub fn upstream_requests(&self) -> u64 {
        let counters = self.counters("cluster.(api|jwks).upstream_rq_total");
        assert_eq!(counters.len(), 2, "{counters:?}");
        counters.iter().map(|(_, value)| value).sum()
    }

    /// Envoy's statistics as Prometheus reads them, those of the dynamic module by the names that the VM has for them.
    pub fn prometheus(&self) -> String {
        as_of_the_vm(http1::get(self.admin, "/stats/prometheus", &[]).text())
    }

    /// Whether this Envoy makes RSA signatures for a filter. None of its interfaces tells but to a filter, so its version has to:
    /// they came with 1.37.
    pub fn can_sign(&self) -> bool {
        let version = http1::get(self.admin, "/server_info", &[]).field("version");
        let mut numbers = version.split(['/', '.']).skip(1).map(|number| number.parse::<u32>().unwrap());
        (numbers.next(), numbers.next()) >= (Some(1), Some(37))
    }

    /// A counter or gauge of the filter's, by its name.
    pub fn filter_counter(&self, name: &str) -> u64 {
        let module = "dynamicmodulescustom.token_endpoint";
        match name.split_once('.') {
            Some((request, outcome)) if is_module() => {
                self.counter(&format!("{module}.requests.request.{request}.outcome.{outcome}"))
            }
            None if is_module() => self.counter(&format!("{module}.{name}")),
            Some(_) | None => self.counter(&format!("wasmcustom.token_endpoint.{name}")),
        }
    }

    /// One of Envoy's counters.
    pub fn counter(&self, name: &str) -> u64 {
        self.counters(name).iter().map(|(_, value)| value).sum()
    }

    /// How many connections each worker has taken.
    pub fn connections_per_worker(&self) -> Vec<u64> {
        let counters = self.counters(r"listener\.127\.0\.0\.1.*\.worker_[0-9]+\.downstream_cx_total");
        counters.into_iter().map(|(_, value)| value).collect()
    }

    /// The counters whose whole names match, by name.
    fn counters(&self, pattern: &str) -> Vec<(String, u64)> {
        let stats = http1::get(self.admin, &format!("/stats?format=json&filter=^{pattern}$"), &[]).json();
        let counters = stats["stats"].as_array().unwrap().iter();
        counters
            .filter_map(|counter| Some((counter["name"].as_str()?.to_owned(), counter["value"].as_u64()?)))
            .collect()
    }

    /// Bytes of memory that Envoy holds, the VMs of its workers included.
    #[cfg(target_os = "linux")]
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.envoy.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kibibytes * 1024
    }
}

/// The module has one counter of requests, with labels, and a prefix before its metrics.
fn as_of_the_vm(statistics: &str) -> String {
    let mut types = BTreeSet::new();
    let lines = statistics.replace("envoy_dynamicmodulescustom_token_endpoint", "token_endpoint");
    let lines: Vec<String> = lines.lines().map(|line| as_line_of_the_vm(line, &mut types)).collect();
    lines.into_iter().chain(types).collect::<Vec<_>>().join("\n")
}

fn as_line_of_the_vm(line: &str, types: &mut BTreeSet<String>) -> String {
    let labels = line.strip_prefix("token_endpoint_requests{request=\"").and_then(|rest| rest.split_once("\"} "));
    let Some((labels, value)) = labels else { return line.to_owned() };
    let name = format!("token_endpoint_{}", labels.replace("\",outcome=\"", "_"));
    types.insert(format!("# TYPE {name} counter"));
    format!("{name}{{}} {value}")
}

/// The log of an Envoy that must refuse its configuration.
pub fn log_of_refusal(yaml: &str, keys: &Keys) -> String {
    let state = state_folder(yaml);
    let mut envoy = Envoy::start(state.path(), keys, &Manner { workers: 1, ..Manner::default() });
    let exit = poll("Envoy to refuse its configuration", || envoy.process.try_wait().unwrap());
    assert!(!exit.success());
    envoy.log()
}

impl Envoy {
    fn start(state: &Path, keys: &Keys, manner: &Manner) -> Self {
        let log = state.join("log");
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let mut envoy = Command::new(from_make("ENVOY"));
        envoy
            .args(["--config-path", "envoy.yaml", "--admin-address-path", "admin"])
            .args(["--concurrency", &manner.workers.to_string(), "--disable-hot-restart"])
            .args(["--log-level", "warning", "--component-log-level", &component_log(manner.filter_log)])
            .args(["--file-flush-interval-msec", "100"])
            .envs(manner.environment.iter().map(|(name, value)| (name, value)))
            .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", state)
            .current_dir(state)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        Self { process: with_keys(&mut envoy, keys).spawn().unwrap(), log }
    }

    /// Where admin and the gateway listen, once Envoy serves.
    fn wait_until_live(&mut self, state: &Path) -> (SocketAddr, SocketAddr) {
        poll("Envoy to be live", || {
            assert_eq!(self.process.try_wait().unwrap(), None, "Envoy ended");
            let admin = fs::read_to_string(state.join("admin")).ok()?.trim().parse().ok()?;
            let is_live = http1::get(admin, "/ready", &[]).text() == "LIVE\n";
            is_live.then(|| (admin, gateway_address(admin)))
        })
    }

    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            eprintln!("Envoy's log:\n{}", self.log());
        }
    }
}

fn state_folder(yaml: &str) -> TempDir {
    let state = TempDir::new().unwrap();
    fs::copy(from_make("TOKEN_ENDPOINT_WASM"), state.path().join(FILTER)).unwrap();
    if let Some(module) = module() {
        fs::copy(module, state.path().join("libtoken_endpoint.so")).unwrap();
    }
    fs::write(state.path().join("envoy.yaml"), yaml).unwrap();
    copy_sample(&state.path().join("sample"));
    state
}

fn copy_sample(to: &Path) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(envoy_folder().join("sample")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn from_make(variable: &str) -> PathBuf {
    let value = std::env::var_os(variable);
    value.unwrap_or_else(|| panic!("{variable} is not set: run these tests by `make test`")).into()
}

fn gateway_address(admin: SocketAddr) -> SocketAddr {
    let statuses = http1::get(admin, "/listeners?format=json", &[]).json();
    let listeners = statuses["listener_statuses"].as_array().unwrap();
    let gateway = listeners.iter().find(|listener| listener["name"] == "gateway").unwrap();
    let port = gateway["local_address"]["socket_address"]["port_value"].as_u64().unwrap();
    (Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap()).into()
}

/// Asks again and again until there is an answer.
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
