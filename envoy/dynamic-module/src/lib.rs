//! The token endpoint as a dynamic module of Envoy: the second host of the same runtime. Here are the hooks that Envoy calls; each
//! bears null pointers, and nothing unwinds out of one.
//!
//! A stream, on a worker of Envoy's, copies what comes and sends it to the thread of its configuration (`worker`), which answers;
//! passwords are checked by threads of the process (`pool`); calls are made, and metrics defined, on the main thread. No hook waits.

mod abi;
mod bytes;
mod callouts;
mod configuration;
mod filter;
mod host;
mod link;
mod logger;
mod main_metrics;
mod metrics;
mod pool;
mod signatures;
mod store;
mod stream;
mod worker;

use std::{
    ffi::c_char,
    panic::{self, AssertUnwindSafe},
    ptr,
    rc::Rc,
    sync::Arc,
};

use self::{
    abi::{
        ConfigEnvoyPtr, ConfigModulePtr, EnvoyBuffer, EnvoyHttpHeader, FilterEnvoyPtr, FilterModulePtr,
        RouteConfigModulePtr, body_status, callout_result, headers_status, local_reply_status, trailers_status,
    },
    callouts::Answer,
    configuration::Configuration,
    filter::Filter,
    stream::Stream,
};

/// What a panic costs: this hook, which then says `instead`.
fn guard<T>(instead: T, hook: impl FnOnce() -> T) -> T {
    panic::catch_unwind(AssertUnwindSafe(hook)).unwrap_or_else(|_| {
        log::error!("a hook panicked");
        instead
    })
}

/// The configuration that a hook is about, which stays for as long as it is held here.
///
/// # Safety
/// The pointer is one that `config_new` gave, and its `config_destroy` has not come.
unsafe fn configuration(module: ConfigModulePtr) -> Option<Arc<Configuration>> {
    if module.is_null() {
        return None;
    }
    let module = module.cast::<Configuration>();
    // SAFETY: it was made by `Arc::into_raw`, and is not dropped before `config_destroy`.
    unsafe {
        Arc::increment_strong_count(module);
        Some(Arc::from_raw(module))
    }
}

/// The stream that a hook is about, which stays for as long as it is held here, even if Envoy destroys it meanwhile.
///
/// # Safety
/// The pointer is one that `filter_new` gave, its `filter_destroy` has not come, and this is its worker.
unsafe fn stream(module: FilterModulePtr) -> Option<Rc<Stream>> {
    if module.is_null() {
        return None;
    }
    let module = module.cast::<Stream>();
    // SAFETY: it was made by `Rc::into_raw` on this thread, and is not dropped before `filter_destroy`.
    unsafe {
        Rc::increment_strong_count(module);
        Some(Rc::from_raw(module))
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    guard(ptr::null(), || {
        logger::install();
        abi::ABI_VERSION.as_ptr()
    })
}

/// Null makes Envoy refuse the configuration, or keep the one it has.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    envoy: ConfigEnvoyPtr,
    _name: EnvoyBuffer,
    document: EnvoyBuffer,
) -> ConfigModulePtr {
    guard(ptr::null(), || {
        // SAFETY: the document is Envoy's, and there until this hook returns.
        let document = unsafe { bytes::from_envoy(document) };
        // SAFETY: this is the hook that makes the configuration.
        let configuration = unsafe { Configuration::new(envoy, document) };
        configuration.map_or(ptr::null(), |configuration| Arc::into_raw(Arc::new(configuration)).cast())
    })
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(module: ConfigModulePtr) {
    guard((), || {
        if !module.is_null() {
            // SAFETY: it was made by `Arc::into_raw`, and Envoy has no use for it any more.
            unsafe { Arc::from_raw(module.cast::<Configuration>()) }.end();
        }
    });
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(
    _name: EnvoyBuffer,
    _document: EnvoyBuffer,
) -> RouteConfigModulePtr {
    guard(ptr::null(), || {
        log::error!("configuration refused: the token endpoint has no configuration of a route");
        ptr::null()
    })
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_destroy(_: RouteConfigModulePtr) {}

/// Never null, which some versions of Envoy take for leave to pass.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_new(
    module: ConfigModulePtr,
    _envoy: FilterEnvoyPtr,
) -> FilterModulePtr {
    // SAFETY: Envoy makes streams of configurations that are there.
    let configuration = unsafe { configuration(module) };
    guard(ptr::null(), || {
        configuration.map_or(ptr::null(), |configuration| Rc::into_raw(Rc::new(Stream::new(configuration))).cast())
    })
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_destroy(module: FilterModulePtr) {
    guard((), || {
        if !module.is_null() {
            // SAFETY: it was made by `Rc::into_raw` on this thread, and Envoy has no use for it any more.
            drop(unsafe { Rc::from_raw(module.cast::<Stream>()) });
        }
    });
}

/// A stream that there is nothing of, or whose hook panics, goes no further: its headers hold credentials.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(
    envoy: FilterEnvoyPtr,
    module: FilterModulePtr,
    is_whole: bool,
) -> u32 {
    // SAFETY: it is this hook's stream, on its worker.
    let (filter, stream) = unsafe { (Filter::new(envoy), stream(module)) };
    let answered = guard(None, || stream.map(|stream| stream.on_headers(filter, is_whole)));
    answered.unwrap_or_else(|| refuse(filter))
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_request_body(
    envoy: FilterEnvoyPtr,
    module: FilterModulePtr,
    is_whole: bool,
) -> u32 {
    // SAFETY: it is this hook's stream, on its worker.
    let (filter, stream) = unsafe { (Filter::new(envoy), stream(module)) };
    guard(body_status::StopIterationNoBuffer, || {
        stream.map_or(body_status::StopIterationNoBuffer, |stream| stream.on_body(filter, is_whole))
    })
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_request_trailers(
    _envoy: FilterEnvoyPtr,
    module: FilterModulePtr,
) -> u32 {
    // SAFETY: it is this hook's stream, on its worker.
    let stream = unsafe { stream(module) };
    guard(trailers_status::StopIteration, || {
        stream.map_or(trailers_status::StopIteration, |stream| stream.on_trailers())
    })
}

/// The answer is there. Envoy may destroy the stream while it is told, so that it is told last, and the stream is held until then.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_scheduled(
    envoy: FilterEnvoyPtr,
    module: FilterModulePtr,
    _event: u64,
) {
    // SAFETY: it is this hook's stream, on its worker.
    let (filter, stream) = unsafe { (Filter::new(envoy), stream(module)) };
    guard((), || {
        let Some(stream) = stream else { return };
        stream.change_metrics(filter);
        if let Some(reply) = stream.take_reply() {
            reply.notes.iter().for_each(|(name, value)| filter.set_state(&format!("wasm.{name}"), value));
            let response = reply.response;
            filter.reply(response.status, &response.headers, &response.body);
        }
    });
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_stream_complete(envoy: FilterEnvoyPtr, module: FilterModulePtr) {
    // SAFETY: it is this hook's stream, on its worker.
    let (filter, stream) = unsafe { (Filter::new(envoy), stream(module)) };
    guard((), || stream.map_or((), |stream| stream.change_metrics(filter)));
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_scheduled(
    envoy: ConfigEnvoyPtr,
    module: ConfigModulePtr,
    _event: u64,
) {
    // SAFETY: Envoy calls this on the main thread for a configuration that is there.
    let configuration = unsafe { configuration(module) };
    // SAFETY: this is a hook of the configuration, on the main thread.
    guard((), || configuration.map_or((), |configuration| unsafe { configuration.on_main(envoy) }));
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
    _envoy: ConfigEnvoyPtr,
    module: ConfigModulePtr,
    call: u64,
    result: u32,
    headers: *const EnvoyHttpHeader,
    headers_size: usize,
    body: *const EnvoyBuffer,
    body_size: usize,
) {
    // SAFETY: Envoy calls this on the main thread for a configuration that is there.
    let configuration = unsafe { configuration(module) };
    guard((), || {
        let Some(configuration) = configuration else { return };
        let answer = match result {
            // SAFETY: headers and body are Envoy's, and there until this hook returns.
            callout_result::Success => unsafe {
                Answer { headers: bytes::headers(headers, headers_size), body: bytes::pieces(body, body_size) }
            },
            _ => Answer::default(),
        };
        configuration.call_is_over(call, answer);
    });
}

/// Closes a door that should not be open.
fn refuse(filter: Filter) -> u32 {
    guard((), || filter.reply(500, &[], b""));
    headers_status::StopIteration
}

/// Hooks that Envoy wants, of which nothing is needed here.
macro_rules! unused_hooks {
    ($($name:ident($($type:ty),*) $(-> $answer:expr)?;)*) => {
        $(unused_hooks! { @ $name($($type),*) $(-> $answer)? })*
    };
    (@ $name:ident($($type:ty),*) -> $answer:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $type),*) -> u32 {
            $answer
        }
    };
    (@ $name:ident($($type:ty),*)) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $type),*) {}
    };
}

unused_hooks! {
    envoy_dynamic_module_on_http_filter_response_headers(FilterEnvoyPtr, FilterModulePtr, bool) -> headers_status::Continue;
    envoy_dynamic_module_on_http_filter_response_body(FilterEnvoyPtr, FilterModulePtr, bool) -> body_status::Continue;
    envoy_dynamic_module_on_http_filter_response_trailers(FilterEnvoyPtr, FilterModulePtr) -> trailers_status::Continue;
    envoy_dynamic_module_on_http_filter_local_reply(FilterEnvoyPtr, FilterModulePtr, u32, EnvoyBuffer, bool) -> local_reply_status::Continue;
    envoy_dynamic_module_on_http_filter_http_callout_done(
        FilterEnvoyPtr, FilterModulePtr, u64, u32, *const EnvoyHttpHeader, usize, *const EnvoyBuffer, usize);
    envoy_dynamic_module_on_http_filter_http_stream_headers(
        FilterEnvoyPtr, FilterModulePtr, u64, *const EnvoyHttpHeader, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(FilterEnvoyPtr, FilterModulePtr, u64, *const EnvoyBuffer, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(FilterEnvoyPtr, FilterModulePtr, u64, *const EnvoyHttpHeader, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(FilterEnvoyPtr, FilterModulePtr, u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(FilterEnvoyPtr, FilterModulePtr, u64, u32);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(FilterEnvoyPtr, FilterModulePtr);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(FilterEnvoyPtr, FilterModulePtr);
}
