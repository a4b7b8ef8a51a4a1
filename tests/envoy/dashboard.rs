//! The dashboard as Grafana would fill it: a real Prometheus reads two real gateways, and answers what every panel asks.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    directories::{Elsewhere, PASSWORD, log_in},
    etcd::{Etcd, remembering},
    gateway::{self, Gateway, Keys},
    http1,
    prometheus::{Prometheus, Series},
    servers::Server,
    stories::{SAMPLE, TENANT},
};
use serde_json::{Value, json};

/// Far longer than it takes until every panel has something to show.
const PATIENCE: Duration = Duration::from_secs(60);
/// How wide Grafana's grid is.
const COLUMNS: u64 = 24;
/// What Grafana puts for variables where Prometheus reads every second and all jobs are chosen.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "4s"), ("$job", ".*")];
/// What may be zero whenever it is read: nothing crashes here, who waits has gone soon, and only some Envoys sign.
const MAY_BE_ZERO: [&str; 3] = ["crashes of a VM", "waiting", "host signs"];
/// Where no etcd listens.
const NOBODYS_PORT: u16 = 1;

fn dashboard() -> Value {
    serde_json::from_str(include_str!("../../envoy/grafana-dashboard.json")).unwrap()
}

fn list<'a>(of: &'a Value, name: &str) -> &'a Vec<Value> {
    of[name].as_array().unwrap_or_else(|| panic!("no {name}: {of}"))
}

fn targets(dashboard: &Value) -> impl Iterator<Item = &Value> {
    list(dashboard, "panels").iter().flat_map(|panel| list(panel, "targets"))
}

fn variable<'a>(dashboard: &'a Value, name: &str) -> &'a Value {
    list(&dashboard["templating"], "list").iter().find(|variable| variable["name"] == name).unwrap()
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name}: {of}"))
}

// --- What Grafana makes of the file ---

#[test]
fn each_panel_has_a_place_of_its_own_in_the_grid() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in list(&dashboard, "panels") {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{panel}");
        let cells = (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y)));
        cells.for_each(|cell| assert!(taken.insert(cell), "{cell:?} is taken: {panel}"));
    }
}

#[test]
fn each_panel_asks_the_data_source_that_was_chosen() {
    let dashboard = dashboard();
    let source = variable(&dashboard, "datasource");
    assert_eq!((text(source, "type"), text(source, "query")), ("datasource", "prometheus"));
    let chosen = json!({"type": "prometheus", "uid": "${datasource}"});
    for asking in list(&dashboard, "panels").iter().chain([variable(&dashboard, "job")]) {
        assert_eq!(asking["datasource"], chosen, "{asking}");
    }
}

#[test]
fn no_two_panels_and_no_two_lines_of_a_panel_are_called_alike() {
    let dashboard = dashboard();
    let panels = list(&dashboard, "panels");
    ["id", "title"].iter().for_each(|name| assert_distinct(panels, name));
    for panel in panels {
        ["refId", "legendFormat"].iter().for_each(|name| assert_distinct(list(panel, "targets"), name));
    }
}

fn assert_distinct(of: &[Value], name: &str) {
    let values: BTreeSet<_> = of.iter().map(|each| each[name].to_string()).collect();
    assert_eq!(values.len(), of.len(), "{name}: {values:?}");
}

// --- What Prometheus makes of it ---

#[test]
fn every_panel_has_something_to_show() {
    let (dashboard, gateways) = (dashboard(), Gateways::start());
    let prometheus = Prometheus::of("gateways", &[&gateways.well, &gateways.unwell]);
    let mut targets: Vec<_> = targets(&dashboard).map(Target::from).collect();
    let started = Instant::now();
    while !targets.is_empty() {
        gateways.work();
        targets.retain(|target| !target.shows(&prometheus.plot(&target.expression)));
        assert!(started.elapsed() < PATIENCE, "waited in vain for {targets:#?}");
    }
    let jobs = text(variable(&dashboard, "job"), "query");
    let (metric, label) = jobs.strip_prefix("label_values(").unwrap().trim_end_matches(')').split_once(", ").unwrap();
    assert_eq!(prometheus.label_values(metric, label), json!(["gateways"]));
}

/// A line of a panel.
#[derive(Debug)]
struct Target {
    legend: String,
    expression: String,
}

impl From<&Value> for Target {
    fn from(target: &Value) -> Self {
        let put = |text: String, (name, value): &(&str, &str)| text.replace(name, value);
        let expression = VARIABLES.iter().fold(text(target, "expr").to_owned(), put);
        Self { legend: text(target, "legendFormat").to_owned(), expression }
    }
}

impl Target {
    fn shows(&self, plot: &[Series]) -> bool {
        plot.iter().for_each(|series| self.assert_named(series));
        let least = if MAY_BE_ZERO.contains(&self.legend.as_str()) { 0.0 } else { f64::MIN_POSITIVE };
        plot.iter().any(|series| series.values.iter().any(|value| *value >= least))
    }

    /// The legend names labels that the series has, and all of them, so that no two lines are called alike.
    fn assert_named(&self, series: &Series) {
        let named = self.legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap());
        let labels = series.labels.keys().map(String::as_str);
        assert_eq!(named.collect::<BTreeSet<_>>(), labels.collect(), "{self:?}");
    }
}

/// Two gateways with an etcd, of which one has all that it asks for; the other has little patience, and nobody at its etcd's port.
struct Gateways {
    well: Gateway,
    unwell: Gateway,
    _servers: (Etcd, [Server; 2]),
}

impl Gateways {
    fn start() -> Self {
        let (etcd, folders) = (Etcd::start(), ["snapshot-nginx", "verify-nginx"]);
        let servers = folders.map(Server::nginx);
        let examples = folders.iter().zip(&servers);
        let elsewhere = examples.fold(Elsewhere::default(), |all, (folder, server)| all.whole_example(folder, server));
        let impatient = gateway::demo_with("{pacing_cluster: pacing}", "{pacing_cluster: pacing, max_wait: 0.05s}");
        let start =
            |yaml: &str, port| Gateway::start_with(&remembering(yaml, port, "retry_grace: 1s"), Keys::of_this_run());
        let well = start(&elsewhere.yaml(), etcd.port());
        Self { well, unwell: start(&impatient, NOBODYS_PORT), _servers: (etcd, servers) }
    }

    /// A little of everything that is counted.
    fn work(&self) {
        let login = self.well.token(SAMPLE);
        let about = format!("{}&{TENANT}", login.field("refresh_token"));
        let [refresh, token] =
            ["grant_type=refresh_token&refresh_token", "token"].map(|name| format!("{name}={about}"));
        let guess = SAMPLE.replace("username=MOCK_USERNAME", "username=A_GUESSER");
        let of_no_client = SAMPLE.replace("TENANT_CLIENT_SECRET", "WRONG");
        log_in(&self.well, "HTPASSWD", "alice", PASSWORD);
        let of_its_own = format!("grant_type=client_credentials&{TENANT}");
        let without_a_name = format!("grant_type=password&{TENANT}");
        for form in [&refresh, &of_its_own, &guess, &of_no_client, &without_a_name] {
            self.well.token(form);
        }
        self.unwell.token(&refresh);
        let access_token = format!("access_token={}", login.field("access_token"));
        http1::post_form(self.unwell.address(), "/oauth2/userinfo", &access_token);
        for path in ["/oauth2/revoke", "/oauth2/introspect"] {
            http1::post_form(self.unwell.address(), path, &token);
        }
        (0..6).for_each(|_| drop(self.unwell.token(&guess)));
        thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(|| self.unwell.token(SAMPLE)))));
    }
}
