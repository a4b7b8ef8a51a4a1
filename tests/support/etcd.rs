//! A real etcd of its own, that can be stopped, ended and started again, and that tells what is in it.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ct_codecs::{Base64, Decoder, Encoder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http1;

/// Far longer than a start takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Another program may take a port that was free a moment ago.
const TRIES: u32 = 10;

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
        (0..TRIES).find_map(|_| Self::try_to_start()).expect("an etcd on free ports")
    }

    fn try_to_start() -> Option<Self> {
        let free = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let ports = free.map(|listener| listener.local_addr().unwrap().port());
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

    /// Whether it is healthy after a while; false if it ended.
    fn is_there(&mut self) -> bool {
        let started = Instant::now();
        while !self.is_healthy() {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(started.elapsed() < PATIENCE, "waited in vain for etcd:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    fn is_healthy(&self) -> bool {
        TcpStream::connect(self.address()).is_ok()
            && http1::get(self.address(), "/health", &[]).text().contains(r#""health":"true""#)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
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
