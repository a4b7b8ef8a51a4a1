//! Envoy's side of one stream, as a hook has it at hand.

use std::marker::PhantomData;

use crate::{
    abi::{self, EnvoyBuffer, FilterEnvoyPtr, FilterSchedulerPtr},
    bytes::{self, NONE, from_envoy, to_envoy},
    metrics::{Change, MetricId, Operation},
};

/// Envoy's filter, for as long as a hook lasts.
#[derive(Clone, Copy)]
pub(crate) struct Filter<'hook> {
    envoy: FilterEnvoyPtr,
    hook: PhantomData<&'hook ()>,
}

/// What any thread wakes a stream with.
pub(crate) struct Scheduler(FilterSchedulerPtr);

impl Filter<'_> {
    /// # Safety
    /// The pointer is what a hook was given, and `'hook` ends before the hook does.
    pub(crate) unsafe fn new(envoy: FilterEnvoyPtr) -> Self {
        Self { envoy, hook: PhantomData }
    }

    /// The first value of a request's header.
    pub(crate) fn header(self, name: &str) -> Option<Vec<u8>> {
        let mut value = EMPTY;
        let (key, kind) = (to_envoy(name.as_bytes()), abi::header_type::RequestHeader);
        // SAFETY: the filter is there for as long as the hook lasts, and so is `value`.
        let is_there = unsafe { abi::http_get_header(self.envoy, kind, key, &mut value, 0, std::ptr::null_mut()) };
        // SAFETY: Envoy has just set it.
        is_there.then(|| unsafe { from_envoy(value) })
    }

    /// What has just come of the request's body.
    pub(crate) fn received_body(self) -> Vec<u8> {
        let kind = abi::body_type::ReceivedRequestBody;
        // SAFETY: the filter is there for as long as the hook lasts.
        let count = unsafe { abi::http_get_body_chunks_size(self.envoy, kind) };
        let mut pieces = vec![EMPTY; count];
        // SAFETY: there is room for as many pieces as Envoy has said.
        let is_there = unsafe { abi::http_get_body_chunks(self.envoy, kind, pieces.as_mut_ptr()) };
        // SAFETY: Envoy has just set them.
        if is_there { unsafe { bytes::pieces(pieces.as_ptr(), count) } } else { Vec::new() }
    }

    /// Where the request comes from: an address and a port.
    pub(crate) fn source_address(self) -> String {
        let mut value = EMPTY;
        let attribute = abi::attribute_id::SourceAddress;
        // SAFETY: the filter is there for as long as the hook lasts, and so is `value`.
        let is_there = unsafe { abi::http_filter_get_attribute_string(self.envoy, attribute, &mut value) };
        // SAFETY: Envoy has just set it.
        let value = if is_there { unsafe { from_envoy(value) } } else { Vec::new() };
        String::from_utf8(value).unwrap_or_default()
    }

    /// Leaves a value with the stream, for its access log. Once for each key.
    pub(crate) fn set_state(self, key: &str, value: &str) {
        // SAFETY: the filter is there for as long as the hook lasts; Envoy copies both.
        let is_set = unsafe {
            abi::http_set_filter_state_bytes(self.envoy, to_envoy(key.as_bytes()), to_envoy(value.as_bytes()))
        };
        if !is_set {
            log::warn!("the filter state {key} was not set");
        }
    }

    /// Makes what this stream is woken with.
    pub(crate) fn scheduler(self) -> Scheduler {
        // SAFETY: the filter is there for as long as the hook lasts, which runs on its worker.
        Scheduler(unsafe { abi::http_filter_scheduler_new(self.envoy) })
    }

    /// Answers. The stream may be gone when this returns, the module's own part of it too.
    pub(crate) fn reply(self, status: u16, headers: &[(&'static str, String)], body: &[u8]) {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| bytes::header(name.as_bytes(), value.as_bytes())).collect();
        let body = if body.is_empty() { NONE } else { to_envoy(body) };
        // SAFETY: the filter is there for as long as the hook lasts; Envoy copies headers and body.
        unsafe {
            abi::http_send_response(self.envoy, status.into(), headers.as_ptr(), headers.len(), body, NONE);
        }
    }

    /// Changes a metric.
    pub(crate) fn change(self, Change { metric: MetricId { id, labels, .. }, operation }: &Change) {
        let labels: Vec<_> = labels.iter().map(|label| to_envoy(label.as_bytes())).collect();
        let (values, count) = (labels.as_ptr(), labels.len());
        // SAFETY: the filter is there for as long as the hook lasts; the id is of this kind, and Envoy copies the labels.
        let result = unsafe {
            match *operation {
                Operation::Count(by) => abi::http_filter_increment_counter(self.envoy, *id, values, count, by),
                Operation::Raise(by) => abi::http_filter_increment_gauge(self.envoy, *id, values, count, by),
                Operation::Lower(by) => abi::http_filter_decrement_gauge(self.envoy, *id, values, count, by),
                Operation::Set(to) => abi::http_filter_set_gauge(self.envoy, *id, values, count, to),
                Operation::Record(value) => {
                    abi::http_filter_record_histogram_value(self.envoy, *id, values, count, value)
                }
            }
        };
        if result != abi::metrics_result::Success {
            log::warn!("a metric failed: {result}");
        }
    }
}

impl Scheduler {
    /// Has the stream's `scheduled` hook called on its worker, if the stream is there still.
    pub(crate) fn wake(&self) {
        // SAFETY: the handle is freed by `drop` alone, and Envoy lets any thread do this.
        unsafe { abi::http_filter_scheduler_commit(self.0, 0) }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: nobody else has the handle, and it is not used again.
        unsafe { abi::http_filter_scheduler_delete(self.0) }
    }
}

// SAFETY: Envoy lets any thread wake a stream, and free the handle.
unsafe impl Send for Scheduler {}

const EMPTY: EnvoyBuffer = EnvoyBuffer { ptr: std::ptr::null(), length: 0 };
