//! Metrics: defined while a configuration is read, and changed by the hooks of streams, as Envoy wants it. What changes on other
//! threads waits here for the next stream.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use runtime::runtime::MetricKind;

/// One of Envoy's metrics, with the values of its labels.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MetricId {
    pub(crate) kind: Kind,
    pub(crate) id: usize,
    pub(crate) labels: Arc<[String]>,
}

/// What a metric shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A change of a metric.
pub(crate) struct Change {
    pub(crate) metric: MetricId,
    pub(crate) operation: Operation,
}

/// What is done to a metric.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Count(u64),
    Raise(u64),
    Lower(u64),
    Set(u64),
    Record(u64),
}

/// Changes that wait for a stream.
#[derive(Default)]
pub(crate) struct Changes(Mutex<Vec<Change>>);

/// So many wait at most: where none comes for so long, the oldest are of no use to anyone.
const MOST: usize = 10_000;

impl Changes {
    /// Adds one.
    pub(crate) fn add(&self, change: Change) {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if changes.len() < MOST {
            changes.push(change);
        }
    }

    /// Whether some wait.
    pub(crate) fn are_waiting(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes all out.
    pub(crate) fn take(&self) -> Vec<Change> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl MetricId {
    /// Adds to it, or takes away from it.
    pub(crate) fn add(&self, change: i64) -> Change {
        let amount = change.unsigned_abs();
        let operation = match self.kind {
            Kind::Counter | Kind::Histogram => Operation::Count(amount),
            Kind::Gauge if change < 0 => Operation::Lower(amount),
            Kind::Gauge => Operation::Raise(amount),
        };
        Change { metric: self.clone(), operation }
    }

    /// Sets it, or adds a value to it.
    pub(crate) fn record(&self, value: u64) -> Change {
        let operation = match self.kind {
            Kind::Gauge | Kind::Counter => Operation::Set(value),
            Kind::Histogram => Operation::Record(value),
        };
        Change { metric: self.clone(), operation }
    }
}

impl From<MetricKind> for Kind {
    fn from(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter,
            MetricKind::Gauge => Self::Gauge,
            MetricKind::Histogram => Self::Histogram,
        }
    }
}
