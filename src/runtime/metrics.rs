//! What Envoy's statistics show of this filter: the names of all metrics. Each is defined once in a worker, and shows
//! all workers together.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::host::{Host, MetricKind};
use crate::endpoint::{
    event::Event,
    request_context::{Limited, RequestKind},
};

/// The metrics of one worker.
pub(super) struct Metrics {
    outcomes: HashMap<(RequestKind, &'static str), Counter>,
    past: HashMap<Limited, Counter>,
    grace_from_elsewhere: Counter,
    /// How long things take.
    pub(crate) times: Times,
    /// How many password checks wait for their turn.
    pub(crate) waiting_checks: Level,
}

/// How long things take, each in a histogram.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// From when a password check comes to when it begins.
    pub(crate) check_queue: Histogram,
    /// From when a password check begins to its result, the pauses between its slices included.
    pub(crate) check: Histogram,
    /// From when a signature is asked for to when it is its turn.
    pub(crate) signing_queue: Histogram,
    /// Making one signature.
    pub(crate) signing: Histogram,
    /// One question to a directory, a second try included.
    pub(crate) directory: Histogram,
    /// One question to the state store, all its calls included.
    pub(crate) state_store: Histogram,
}

/// Something that is counted.
#[derive(Clone, Copy)]
pub(super) struct Counter(u32);

/// Something that has a value now.
#[derive(Clone, Copy)]
pub(super) struct Gauge(u32);

/// A number of which each worker has a part; what is shown is the sum.
pub(super) struct Level {
    id: u32,
    shown: usize,
}

/// Times, as whole numbers of a unit.
#[derive(Clone, Copy)]
pub(super) struct Histogram {
    id: u32,
    units: fn(Duration) -> u128,
}

impl Metrics {
    /// Defines what is there from the start.
    pub(super) fn new(host: &impl Host) -> Self {
        let times = Times {
            check_queue: Histogram::in_millis("check_queue_ms", host),
            check: Histogram::in_millis("check_ms", host),
            signing_queue: Histogram::in_millis("signing_queue_ms", host),
            signing: Histogram::in_micros("signing_us", host),
            directory: Histogram::in_millis("directory_ms", host),
            state_store: Histogram::in_millis("state_store_ms", host),
        };
        let past = [
            (Limited::User, Counter::new("past.user_limit", host)),
            (Limited::Client, Counter::new("past.client_limit", host)),
        ];
        Self {
            outcomes: HashMap::new(),
            past: past.into(),
            grace_from_elsewhere: Counter::new("grace.from_elsewhere", host),
            times,
            waiting_checks: Level::new("waiting_checks", host),
        }
    }

    /// Counts how an exchange ended.
    pub(super) fn count(&mut self, event: &Event, host: &impl Host) {
        let (topic, outcome) = (event.about.topic, event.outcome.name());
        let define = || Counter(host.define_outcome(topic.name(), outcome));
        self.outcomes.entry((topic, outcome)).or_insert_with(define).count(host);
        if let Some(counter) = event.about.past.and_then(|limit| self.past.get(&limit)) {
            counter.count(host);
        }
        if event.about.is_shared {
            self.grace_from_elsewhere.count(host);
        }
    }
}

impl Counter {
    /// A counter of this name.
    pub(super) fn new(name: &str, host: &impl Host) -> Self {
        Self(host.define_metric(MetricKind::Counter, &full(name)))
    }

    /// Adds one.
    pub(super) fn count(self, host: &impl Host) {
        host.add_to_metric(self.0, 1);
    }
}

impl Gauge {
    /// A gauge of this name.
    pub(super) fn new(name: &str, host: &impl Host) -> Self {
        Self(host.define_metric(MetricKind::Gauge, &full(name)))
    }

    /// Shows this value.
    pub(super) fn show(self, value: u64, host: &impl Host) {
        host.record_metric(self.0, value);
    }
}

impl Level {
    fn new(name: &str, host: &impl Host) -> Self {
        Self { id: host.define_metric(MetricKind::Gauge, &full(name)), shown: 0 }
    }

    /// Shows this worker's part.
    pub(super) fn show(&mut self, part: usize, host: &impl Host) {
        let change = i64::try_from(part).unwrap_or(i64::MAX) - i64::try_from(self.shown).unwrap_or(i64::MAX);
        if change != 0 {
            host.add_to_metric(self.id, change);
            self.shown = part;
        }
    }
}

impl Histogram {
    fn in_millis(name: &str, host: &impl Host) -> Self {
        Self { id: host.define_metric(MetricKind::Histogram, &full(name)), units: |time| time.as_millis() }
    }

    fn in_micros(name: &str, host: &impl Host) -> Self {
        Self { id: host.define_metric(MetricKind::Histogram, &full(name)), units: |time| time.as_micros() }
    }

    /// Adds the time that has gone by.
    pub(super) fn record(self, since: Instant, host: &impl Host) {
        self.show(host.since(since), host);
    }

    /// Adds a time.
    pub(super) fn show(self, time: Duration, host: &impl Host) {
        let units = (self.units)(time);
        host.record_metric(self.id, u64::try_from(units).unwrap_or(u64::MAX));
    }
}

fn full(name: &str) -> String {
    format!("token_endpoint.{name}")
}
