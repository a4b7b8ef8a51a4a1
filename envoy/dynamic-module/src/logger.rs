//! The crate `log` writes to Envoy's log.

use log::{Level, Log, Metadata, Record};

use crate::{abi, bytes};

struct EnvoyLog;

static LOG: EnvoyLog = EnvoyLog;

/// From now on.
pub(crate) fn install() {
    if log::set_logger(&LOG).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
}

impl Log for EnvoyLog {
    fn enabled(&self, metadata: &Metadata) -> bool {
        // SAFETY: it takes a number, on any thread.
        unsafe { abi::log_enabled(level(metadata.level())) }
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let message = format!("token_endpoint: {}", record.args());
            // SAFETY: any thread may log; Envoy copies the message.
            unsafe { abi::log(level(record.level()), bytes::to_envoy(message.as_bytes())) }
        }
    }

    fn flush(&self) {}
}

fn level(level: Level) -> u32 {
    match level {
        Level::Error => abi::log_level::Error,
        Level::Warn => abi::log_level::Warn,
        Level::Info => abi::log_level::Info,
        Level::Debug => abi::log_level::Debug,
        Level::Trace => abi::log_level::Trace,
    }
}
