//! Metrics without a stream, for what changes while nobody asks: on the main thread, where this Envoy can.

use std::{ffi::CStr, mem, sync::LazyLock};

use crate::{
    abi::{self, ConfigEnvoyPtr, ConfigMetric},
    bytes::to_envoy,
    metrics::{Change, MetricId, Operation},
};

/// What this Envoy has for it.
pub(crate) struct MainMetrics {
    increment_counter: ConfigMetric,
    increment_gauge: ConfigMetric,
    decrement_gauge: ConfigMetric,
    set_gauge: ConfigMetric,
    record_histogram_value: ConfigMetric,
}

/// None before Envoy 1.39.
pub(crate) static MAIN_METRICS: LazyLock<Option<MainMetrics>> = LazyLock::new(|| {
    Some(MainMetrics {
        increment_counter: look_up(abi::CONFIG_INCREMENT_COUNTER)?,
        increment_gauge: look_up(abi::CONFIG_INCREMENT_GAUGE)?,
        decrement_gauge: look_up(abi::CONFIG_DECREMENT_GAUGE)?,
        set_gauge: look_up(abi::CONFIG_SET_GAUGE)?,
        record_histogram_value: look_up(abi::CONFIG_RECORD_HISTOGRAM_VALUE)?,
    })
});

impl MainMetrics {
    /// Changes a metric.
    ///
    /// # Safety
    /// Called on the main thread, in a hook of this configuration.
    pub(crate) unsafe fn change(&self, config: ConfigEnvoyPtr, change: &Change) {
        let Change { metric: MetricId { id, labels, .. }, operation } = change;
        let labels: Vec<_> = labels.iter().map(|label| to_envoy(label.as_bytes())).collect();
        let (function, value) = match *operation {
            Operation::Count(by) => (self.increment_counter, by),
            Operation::Raise(by) => (self.increment_gauge, by),
            Operation::Lower(by) => (self.decrement_gauge, by),
            Operation::Set(to) => (self.set_gauge, to),
            Operation::Record(value) => (self.record_histogram_value, value),
        };
        // SAFETY: the configuration is there, as the caller promises; the id is of this kind, and Envoy copies the labels.
        let result = unsafe { function(config, *id, labels.as_ptr(), labels.len(), value) };
        if result != abi::metrics_result::Success {
            log::warn!("a metric failed: {result}");
        }
    }
}

/// One of Envoy's functions, by its name.
fn look_up(name: &CStr) -> Option<ConfigMetric> {
    // SAFETY: the name is a C string.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if symbol.is_null() {
        return None;
    }
    // SAFETY: all functions that are looked up here have this type.
    Some(unsafe { mem::transmute::<*mut libc::c_void, ConfigMetric>(symbol) })
}
