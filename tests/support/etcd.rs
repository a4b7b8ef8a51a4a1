//! A real etcd of its own, that can be stopped, ended and started again, and that tells what is in it.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use ct_codecs::{Base64, Decoder, Encoder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    gateway::replaced,
    http1,
    start::{becomes_ready, on_free_ports},
};

/// An etcd that ends with its test.
pub struct Etcd {
    process: Child,
    folder: TempDir,
    ports: [u16; 2],
}

/// A key, with its value and the lease that it is under.
#[derive(Debug)]
pub struct Record {
    pub key: String,
    pub value: Vec<u8>,
    pub lease: Option<String>,
    /// How often it was written.
    pub version: u64,
}

impl Etcd {
    /// Starts one, with nothing in it.
    pub fn start() -> Self {
        on_free_ports(Self::try_to_start)
    }

    fn try_to_start(ports: [u16; 2]) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mut etcd = Self { process: run(&folder, ports), folder, ports };
        etcd.is_there().then_some(etcd)
    }

    /// Ends it as a power cut would.
    pub fn go_away(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again with what was in it.
    pub fn come_back(&mut self) {
        self.process = run(&self.folder, self.ports);
        assert!(self.is_there(), "etcd ended:\n{}", self.log());
    }

    /// Stops it where it stands: connections stay, and nothing is answered.
    pub fn hang(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }

    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// All keys that begin with this.
    pub fn records(&self, prefix: &str) -> Vec<Record> {
        let end = format!("{prefix}\u{7f}");
        let found = self.call("/v3/kv/range", &json!({"key": encoded(prefix), "range_end": encoded(&end)}));
        found["kvs"].as_array().into_iter().flatten().map(Record::from).collect()
    }

    /// The records of families, as texts.
    pub fn families(&self) -> Vec<String> {
        let text = |record: Record| String::from_utf8(record.value).unwrap();
        self.records("token-endpoint/families/").into_iter().map(text).collect()
    }

    /// How many seconds a lease has left.
    pub fn time_to_live(&self, lease: &str) -> u64 {
        self.call("/v3/lease/timetolive", &json!({"ID": lease}))["TTL"].as_str().unwrap().parse().unwrap()
    }

    /// Writes a key, as an administrator who errs might.
    pub fn put(&self, key: &str, value: &str) {
        self.call("/v3/kv/put", &json!({"key": encoded(key), "value": encoded(value)}));
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        let answer = http1::send(self.address(), "POST", path, &[], &body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port()).into()
    }

    fn is_there(&mut self) -> bool {
        let (address, log) = (self.address(), self.log_file());
        becomes_ready(&mut self.process, &log, || is_healthy(address))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("etcd's log:\n{}", self.log());
        }
    }
}

impl From<&Value> for Record {
    fn from(told: &Value) -> Self {
        let bytes = |name: &str| Base64::decode_to_vec(told[name].as_str().unwrap_or_default(), None).unwrap();
        Self {
            key: String::from_utf8(bytes("key")).unwrap(),
            value: bytes("value"),
            lease: told["lease"].as_str().map(str::to_owned),
            version: told["version"].as_str().unwrap().parse().unwrap(),
        }
    }
}

/// The demo, or what was made of it, with its memory in the etcd on this port and with these settings of `state`.
pub fn remembering(yaml: &str, port: u16, state: &str) -> String {
    let etcd = "etcd: {cluster: etcd, timeout: 0.9s, circuit: {failures: 2, open: 1s}}";
    let next = "password_checks:";
    let yaml = replaced(yaml, next, &format!("state: {{{state}, {etcd}}}\n{:20}{next}", ""));
    let address = format!("{{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}");
    let endpoints = format!("[{{lb_endpoints: [{{endpoint: {{address: {address}}}}}]}}]");
    let cluster = format!("{{name: etcd, load_assignment: {{cluster_name: etcd, endpoints: {endpoints}}}}}");
    replaced(&yaml, "  clusters:\n", &format!("  clusters:\n  - {cluster}\n"))
}

fn is_healthy(etcd: SocketAddr) -> bool {
    TcpStream::connect(etcd).is_ok() && http1::get(etcd, "/health", &[]).text().contains(r#""health":"true""#)
}

fn run(folder: &TempDir, [client, peer]: [u16; 2]) -> Child {
    let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
    let output = File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
    let mut etcd = Command::new("etcd");
    etcd.args(["--data-dir", "data", "--logger", "zap"])
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("default={peer}")])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    etcd.spawn().unwrap_or_else(|error| panic!("{etcd:?}: {error}: run these tests by `make test`"))
}

fn encoded(text: &str) -> String {
    Base64::encode_to_string(text).unwrap()
}
