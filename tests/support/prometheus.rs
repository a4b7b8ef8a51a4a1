//! A real Prometheus of its own that reads gateways' statistics every second, and answers questions about them.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::SystemTime,
};

use serde_json::{Map, Value};
use tempfile::TempDir;
use url::form_urlencoded::Serializer;

use super::{
    gateway::Gateway,
    http1,
    start::{becomes_ready, on_free_ports},
};

/// A Prometheus that ends with its test.
pub struct Prometheus {
    process: Child,
    _folder: TempDir,
    address: SocketAddr,
    started: u64,
}

/// One line of a plot.
#[derive(Debug)]
pub struct Series {
    /// What tells it from the others.
    pub labels: Map<String, Value>,
    /// A number for each second that has one.
    pub values: Vec<f64>,
}

impl Prometheus {
    /// Starts one that reads these gateways, as one job.
    pub fn of(job: &str, gateways: &[&Gateway]) -> Self {
        let targets: Vec<_> = gateways.iter().map(|gateway| gateway.admin().to_string()).collect();
        let configuration = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: {job}\n  metrics_path: /stats/prometheus\n  \
             static_configs: [{{targets: [{}]}}]\n",
            targets.join(", ")
        );
        on_free_ports(|[port]| Self::try_to_start(&configuration, (Ipv4Addr::LOCALHOST, port).into()))
    }

    fn try_to_start(configuration: &str, address: SocketAddr) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("prometheus.yml"), configuration).unwrap();
        let log = folder.path().join("log");
        let mut prometheus = Self { process: run(&folder, address), _folder: folder, address, started: now() };
        becomes_ready(&mut prometheus.process, &log, || is_ready(address)).then_some(prometheus)
    }

    /// What an expression has been since the start.
    pub fn plot(&self, expression: &str) -> Vec<Series> {
        let (start, end) = (self.started.to_string(), now().to_string());
        let times = [("start", start.as_str()), ("end", &end), ("step", "1")];
        let found = self.ask("query_range", times.into_iter().chain([("query", expression)]));
        found["result"].as_array().unwrap().iter().map(Series::from).collect()
    }

    /// The values that a label of a metric has.
    pub fn label_values(&self, metric: &str, label: &str) -> Value {
        self.ask(&format!("label/{label}/values"), [("match[]", metric)].into_iter())
    }

    fn ask<'a>(&self, question: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
        let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
        let mut answer = http1::get(self.address, &format!("/api/v1/{question}?{query}"), &[]).json();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"].take()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl From<&Value> for Series {
    /// A moment without a number, such as a quantile of nothing, is left out.
    fn from(told: &Value) -> Self {
        let numbers =
            told["values"].as_array().unwrap().iter().map(|at| at[1].as_str().unwrap().parse::<f64>().unwrap());
        Self {
            labels: told["metric"].as_object().unwrap().clone(),
            values: numbers.filter(|number| number.is_finite()).collect(),
        }
    }
}

fn is_ready(prometheus: SocketAddr) -> bool {
    TcpStream::connect(prometheus).is_ok() && http1::get(prometheus, "/-/ready", &[]).status == 200
}

fn run(folder: &TempDir, address: SocketAddr) -> Child {
    let output = File::create(folder.path().join("log")).unwrap();
    let mut prometheus = Command::new("prometheus");
    prometheus
        .args(["--config.file", "prometheus.yml", "--storage.tsdb.path", "data"])
        .args(["--web.listen-address", &address.to_string()])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    prometheus.spawn().unwrap_or_else(|error| panic!("{prometheus:?}: {error}: run these tests by `make test`"))
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}
