//! Envoy's dynamic module ABI, as far as an HTTP filter needs it, declared by hand.
//!
//! The interface is defined by the Envoy project (`source/extensions/dynamic_modules/abi/abi.h`),
//! Copyright Envoy Project Authors, Apache License 2.0. Names, numbers and signatures are theirs;
//! the text of the comments is ours. SPDX-License-Identifier: Apache-2.0
//!
//! Read from commit 0199da4a13cb999df12ad32db7d03942cfbf9abb (731,699 characters; between 1.39 and
//! 1.40: it has the config-level metrics, not the secrets) and from an older stored version
//! (624,394 characters, as of 1.38), and compared with what the binaries 1.38.2 (f387231a), 1.39.3
//! (6eb0d2d9) and 1.40.0 (9e558093) export and do. Both headers say
//! `ENVOY_DYNAMIC_MODULES_ABI_VERSION "v0.1.0"`; the 1.40.0 binary says "v0.2.0". There is no hash
//! any more (1.37 was the last with one: 4dae397a…e10f); a different version text is a log line.
//!
//! Rules that hold for everything here:
//! - 64-bit only: `usize` stands for `size_t`, and the enums are C `unsigned int`s (`u32`).
//! - A buffer from Envoy may be `(null, 0)`: never hand it to `slice::from_raw_parts` unchecked. It
//!   may also be non-null with length 0. Bytes need not be UTF-8.
//! - A buffer from Envoy lives until the hook returns, or until a setter of the same thing is called.
//! - A buffer to Envoy needs to live for the call only; Envoy copies.
//! - Enum values from Envoy are plain `u32`: a later Envoy may append values.
//! - `extern "C"` (not `"C-unwind"`): nothing may unwind through these.
#![allow(non_upper_case_globals)]

use core::ffi::{c_char, c_void};

/// What `envoy_dynamic_module_on_program_init` returns. "v0.1.0" is what 1.38 and 1.39 have; 1.40
/// (v0.2.0) then logs one warning that the version is deprecated, and loads.
pub const ABI_VERSION: &core::ffi::CStr = c"v0.1.0";

// ------------------------------------------------------------------------------------------ types

/// Bytes that Envoy owns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EnvoyBuffer {
    pub ptr: *const c_char,
    pub length: usize,
}

/// Bytes that the module owns. `(null, 0)` where something is optional.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ModuleBuffer {
    pub ptr: *const c_char,
    pub length: usize,
}

/// One header that Envoy owns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EnvoyHttpHeader {
    pub key_ptr: *const c_char,
    pub key_length: usize,
    pub value_ptr: *const c_char,
    pub value_length: usize,
}

/// One header that the module owns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ModuleHttpHeader {
    pub key_ptr: *const c_char,
    pub key_length: usize,
    pub value_ptr: *const c_char,
    pub value_length: usize,
}

const _: () = assert!(size_of::<EnvoyBuffer>() == 16 && size_of::<ModuleBuffer>() == 16);
const _: () = assert!(size_of::<EnvoyHttpHeader>() == 32 && size_of::<ModuleHttpHeader>() == 32);
const _: () = assert!(size_of::<usize>() == 8);

/// Envoy's filter configuration. Valid from `config_new` until `config_destroy` has returned.
pub type ConfigEnvoyPtr = *mut c_void;
/// The module's filter configuration, as `config_new` returned it.
pub type ConfigModulePtr = *const c_void;
/// The module's per-route configuration.
pub type RouteConfigModulePtr = *const c_void;
/// Envoy's filter, one per stream. Valid until `filter_destroy`; only on its worker.
pub type FilterEnvoyPtr = *mut c_void;
/// The module's filter, as `filter_new` returned it.
pub type FilterModulePtr = *const c_void;
/// Owned by the module: `http_filter_scheduler_delete` frees it.
pub type FilterSchedulerPtr = *mut c_void;
/// Owned by the module: `http_filter_config_scheduler_delete` frees it.
pub type ConfigSchedulerPtr = *mut c_void;

/// Which header map.
pub mod header_type {
    pub const RequestHeader: u32 = 0;
}

/// Which body. "Received" exists inside a body hook only; "buffered" is what came before it.
pub mod body_type {
    pub const ReceivedRequestBody: u32 = 0;
}

pub mod log_level {
    pub const Trace: u32 = 0;
    pub const Debug: u32 = 1;
    pub const Info: u32 = 2;
    pub const Warn: u32 = 3;
    pub const Error: u32 = 4;
}

/// What a request-headers or response-headers hook returns.
pub mod headers_status {
    pub const Continue: u32 = 0;
    /// Later filters wait; body hooks are still called. The one to wait with, and to reply with.
    pub const StopIteration: u32 = 1;
}

/// What a request-body or response-body hook returns.
pub mod body_status {
    pub const Continue: u32 = 0;
    /// The received bytes are dropped: the module has taken them.
    pub const StopIterationNoBuffer: u32 = 3;
}

/// What a trailers hook returns.
pub mod trailers_status {
    pub const Continue: u32 = 0;
    pub const StopIteration: u32 = 1;
}

/// What the local-reply hook returns.
pub mod local_reply_status {
    pub const Continue: u32 = 0;
}

/// Whether a callout was started. When it was not, its done hook is never called.
pub mod callout_init_result {
    pub const Success: u32 = 0;
}

/// How a callout ended. `Success` means "there is a response", and a refused connection is one
/// (503), a timeout is one (504): Envoy makes them. Look at `:status`.
pub mod callout_result {
    pub const Success: u32 = 0;
}

pub mod metrics_result {
    pub const Success: u32 = 0;
}

/// Attributes (a part). "String" and "int" say which getter works.
pub mod attribute_id {
    /// String: `address:port`. The address that Envoy decided on: from `x-forwarded-for` it is
    /// `9.9.9.9:0`, the port being 0 (1.38.2 and 1.40.0 alike).
    pub const SourceAddress: u32 = 24;
}

// -------------------------------------------------- callbacks that 1.38, 1.39 and 1.40 all export

unsafe extern "C" {
    // ---- log and process ----

    /// Writes a line to Envoy's log (`dynamic_modules`). Any thread. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_log"]
    pub fn log(level: u32, message: ModuleBuffer);

    /// Whether a line of this level would be written. Cheap. Any thread. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_log_enabled"]
    pub fn log_enabled(level: u32) -> bool;

    /// Number of workers. MAIN THREAD ONLY, in `program_init` and `config_new`: on a worker 1.38
    /// crashes; 1.39 and 1.40 report an Envoy bug and say 0. Since 1.38.
    #[link_name = "envoy_dynamic_module_callback_get_concurrency"]
    pub fn get_concurrency() -> u32;

    /// True under `--mode validate`: start no threads then. Main thread only. Since 1.38.
    #[link_name = "envoy_dynamic_module_callback_is_validation_mode"]
    pub fn is_validation_mode() -> bool;

    // ---- headers (worker, inside a hook of that filter) ----

    /// The `index`-th value of a header; the name's case does not matter. `count` (or null) gets the
    /// number of values. False and `(null, 0)` if there is none. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_get_header"]
    pub fn http_get_header(
        filter: FilterEnvoyPtr,
        header_type: u32,
        key: ModuleBuffer,
        result: *mut EnvoyBuffer,
        index: usize,
        count: *mut usize,
    ) -> bool;

    // ---- body (worker) ----

    /// Number of pieces of a body, 0 if there is none. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_get_body_chunks_size"]
    pub fn http_get_body_chunks_size(filter: FilterEnvoyPtr, body_type: u32) -> usize;

    /// The pieces of a body. `result` must have room for `http_get_body_chunks_size` of them. False
    /// if there is no such body. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_get_body_chunks"]
    pub fn http_get_body_chunks(filter: FilterEnvoyPtr, body_type: u32, result: *mut EnvoyBuffer) -> bool;

    // ---- reply and flow (worker) ----

    /// Sends a whole response (a "local reply"). `details` (or null: "dynamic_module") is
    /// `%RESPONSE_CODE_DETAILS%`, spaces become `_`. `content-length` is set by Envoy.
    ///
    /// RE-ENTERS the module before it returns: `local_reply` always; from `scheduled` and
    /// `callout_done` also `stream_complete`, and in 1.38 and 1.39 even `filter_destroy`, so the
    /// filter may be freed when this returns. Hold no reference to it across the call. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_send_response"]
    pub fn http_send_response(
        filter: FilterEnvoyPtr,
        status_code: u32,
        headers: *const ModuleHttpHeader,
        headers_size: usize,
        body: ModuleBuffer,
        details: ModuleBuffer,
    );

    // ---- attributes, filter state, metadata (worker) ----

    /// An attribute that is a string. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_get_attribute_string"]
    pub fn http_filter_get_attribute_string(
        filter: FilterEnvoyPtr,
        attribute_id: u32,
        result: *mut EnvoyBuffer,
    ) -> bool;

    /// Sets a string in the filter state (access log: `%FILTER_STATE(key:PLAIN)%`). ONCE per key
    /// and stream: in 1.38 a second time is reported as an Envoy bug, changes nothing and still
    /// returns true; since 1.39 it overwrites. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_set_filter_state_bytes"]
    pub fn http_set_filter_state_bytes(filter: FilterEnvoyPtr, key: ModuleBuffer, value: ModuleBuffer) -> bool;

    // ---- callouts ----

    /// Sends a request that belongs to the configuration. MAIN THREAD ONLY (`config_scheduled`,
    /// `config_http_callout_done`; in `config_new` it was not tried). The done hook
    /// comes on the main thread; none comes after `config_destroy`. Since 1.38.
    #[link_name = "envoy_dynamic_module_callback_http_filter_config_http_callout"]
    pub fn http_filter_config_http_callout(
        config: ConfigEnvoyPtr,
        callout_id_out: *mut u64,
        cluster_name: ModuleBuffer,
        headers: *const ModuleHttpHeader,
        headers_size: usize,
        body: ModuleBuffer,
        timeout_ms: u64,
    ) -> u32;

    // ---- schedulers ----

    /// Makes a handle with which any thread can wake this filter. On the filter's worker, inside a
    /// hook. Never null. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_scheduler_new"]
    pub fn http_filter_scheduler_new(filter: FilterEnvoyPtr) -> FilterSchedulerPtr;

    /// Has `scheduled(event_id)` called on the filter's worker. ANY THREAD, as often as wanted. Does
    /// nothing if the filter is gone. Not after the workers have been shut down. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_scheduler_commit"]
    pub fn http_filter_scheduler_commit(scheduler: FilterSchedulerPtr, event_id: u64);

    /// Frees the handle; events already committed are still delivered. Any thread, once, not while
    /// another commits with it. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_scheduler_delete"]
    pub fn http_filter_scheduler_delete(scheduler: FilterSchedulerPtr);

    /// Makes a handle with which any thread can reach the main thread. In `config_new` or later on
    /// the main thread. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_config_scheduler_new"]
    pub fn http_filter_config_scheduler_new(config: ConfigEnvoyPtr) -> ConfigSchedulerPtr;

    /// Has `config_scheduled(event_id)` called on the main thread. ANY THREAD. Does nothing if the
    /// configuration is gone. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_config_scheduler_commit"]
    pub fn http_filter_config_scheduler_commit(scheduler: ConfigSchedulerPtr, event_id: u64);

    /// Frees the handle; rules as for the filter's. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_config_scheduler_delete"]
    pub fn http_filter_config_scheduler_delete(scheduler: ConfigSchedulerPtr);

    // ---- statistics ----
    // Ids start at 1. Metrics with labels and metrics without are two lists with ids of their own:
    // an id of one used as the other's hits a DIFFERENT metric without an error.

    /// Defines a counter; `label_names` may be null with 0. Only inside `config_new`. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_config_define_counter"]
    pub fn http_filter_config_define_counter(
        config: ConfigEnvoyPtr,
        name: ModuleBuffer,
        label_names: *const ModuleBuffer,
        label_names_length: usize,
        id_out: *mut usize,
    ) -> u32;

    /// Defines a gauge; likewise. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_config_define_gauge"]
    pub fn http_filter_config_define_gauge(
        config: ConfigEnvoyPtr,
        name: ModuleBuffer,
        label_names: *const ModuleBuffer,
        label_names_length: usize,
        id_out: *mut usize,
    ) -> u32;

    /// Defines a histogram (no unit can be given); likewise. Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_config_define_histogram"]
    pub fn http_filter_config_define_histogram(
        config: ConfigEnvoyPtr,
        name: ModuleBuffer,
        label_names: *const ModuleBuffer,
        label_names_length: usize,
        id_out: *mut usize,
    ) -> u32;

    /// Adds to a counter (worker, a filter's hook). Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_increment_counter"]
    pub fn http_filter_increment_counter(
        filter: FilterEnvoyPtr,
        id: usize,
        label_values: *const ModuleBuffer,
        label_values_length: usize,
        value: u64,
    ) -> u32;

    /// Adds to a gauge (worker). Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_increment_gauge"]
    pub fn http_filter_increment_gauge(
        filter: FilterEnvoyPtr,
        id: usize,
        label_values: *const ModuleBuffer,
        label_values_length: usize,
        value: u64,
    ) -> u32;

    /// Takes from a gauge (worker). Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_decrement_gauge"]
    pub fn http_filter_decrement_gauge(
        filter: FilterEnvoyPtr,
        id: usize,
        label_values: *const ModuleBuffer,
        label_values_length: usize,
        value: u64,
    ) -> u32;

    /// Sets a gauge (worker). Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_set_gauge"]
    pub fn http_filter_set_gauge(
        filter: FilterEnvoyPtr,
        id: usize,
        label_values: *const ModuleBuffer,
        label_values_length: usize,
        value: u64,
    ) -> u32;

    /// Records a value in a histogram (worker). Since 1.37.
    #[link_name = "envoy_dynamic_module_callback_http_filter_record_histogram_value"]
    pub fn http_filter_record_histogram_value(
        filter: FilterEnvoyPtr,
        id: usize,
        label_values: *const ModuleBuffer,
        label_values_length: usize,
        value: u64,
    ) -> u32;
}

// -------------------------------------------------------------------- callbacks that 1.38 lacks
// Linking these would make 1.38 refuse the module ("undefined symbol"): they are looked up.

/// Since 1.39. Changes a metric without a stream. On the main thread alone: on a thread of the module's own, labels and histograms
/// crash Envoy.
pub(crate) type ConfigMetric = unsafe extern "C" fn(
    config: ConfigEnvoyPtr,
    id: usize,
    label_values: *const ModuleBuffer,
    label_values_length: usize,
    value: u64,
) -> u32;
pub(crate) const CONFIG_INCREMENT_COUNTER: &core::ffi::CStr =
    c"envoy_dynamic_module_callback_http_filter_config_increment_counter";
pub(crate) const CONFIG_INCREMENT_GAUGE: &core::ffi::CStr =
    c"envoy_dynamic_module_callback_http_filter_config_increment_gauge";
pub(crate) const CONFIG_DECREMENT_GAUGE: &core::ffi::CStr =
    c"envoy_dynamic_module_callback_http_filter_config_decrement_gauge";
pub(crate) const CONFIG_SET_GAUGE: &core::ffi::CStr = c"envoy_dynamic_module_callback_http_filter_config_set_gauge";
pub(crate) const CONFIG_RECORD_HISTOGRAM_VALUE: &core::ffi::CStr =
    c"envoy_dynamic_module_callback_http_filter_config_record_histogram_value";
