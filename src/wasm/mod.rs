//! The filter as Envoy sees it: proxy-wasm's callbacks become events of the runtime, and its host calls what the runtime asks
//! for. All of WebAssembly's world is in this folder, and nothing that decides.

mod foreign_sign;
mod host;
mod request;
mod stream;

use std::rc::Rc;

use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::{ContextType, LogLevel},
};

use self::{
    host::EnvoyHost,
    stream::{EndpointStream, HeldStream},
};
use crate::runtime::{HttpStream, Plugin, ThreadState, Worker};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Debug);
    proxy_wasm::set_root_context(|id| Box::new(Root { id, plugin: None }));
}}

thread_local! {
    /// A VM is one worker thread's.
    static THREAD: Rc<ThreadState> = Rc::default();
}

/// One instance of the plugin in one worker.
struct Root {
    id: u32,
    plugin: Option<Plugin<EnvoyHost>>,
}

impl Root {
    fn with_worker(&self, act: impl FnOnce(&mut Worker<EnvoyHost>)) {
        if let Some(Plugin::TokenEndpoint(worker)) = &self.plugin {
            act(&mut worker.borrow_mut());
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, call: u32, _: usize, body_size: usize, _: usize) {
        self.with_worker(|worker| worker.on_call_answered(call, body_size));
    }
}

impl RootContext for Root {
    /// False makes Envoy refuse the configuration, or keep the one it has.
    fn on_configure(&mut self, _: usize) -> bool {
        let variable = |name: &str| std::env::var(name).ok();
        let thread = THREAD.with(Rc::clone);
        self.plugin = Plugin::configure(EnvoyHost::new(self.id), thread, &host::configuration(), &variable);
        self.plugin.is_some()
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match self.plugin.as_ref()? {
            Plugin::TokenEndpoint(worker) => Box::new(EndpointStream(HttpStream::new(id, Rc::clone(worker)))),
            Plugin::PauseFilter(filter) => Box::new(HeldStream(filter.clone())),
        })
    }

    fn on_queue_ready(&mut self, queue: u32) {
        host::drain_queue(queue);
        self.with_worker(Worker::on_woken);
    }

    fn on_tick(&mut self) {
        self.with_worker(Worker::on_tick);
    }
}
