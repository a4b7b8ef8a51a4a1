//! The filter as Envoy sees it: the root context is configured, hands out exchanges and is called when it is time to
//! work. All of WebAssembly's world is in this folder, and nothing of OAuth's.

mod attempts;
mod calls;
mod errand;
mod exchange;
mod families;
mod host;
mod memory;
mod metrics;
mod pacing;
mod shared_document;
mod signer;
mod snapshots;
mod worker;

use std::{cell::RefCell, rc::Rc};

use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::{ContextType, LogLevel},
};

use self::{exchange::Exchange, worker::Worker};
use crate::config;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Debug);
    proxy_wasm::set_root_context(|id| Box::new(Root { id, worker: None }));
}}

/// One instance of the plugin in one worker.
struct Root {
    id: u32,
    worker: Option<Rc<RefCell<Worker>>>,
}

impl Root {
    fn with_worker(&self, act: impl FnOnce(&mut Worker)) {
        if let Some(worker) = &self.worker {
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
        self.worker = match config::parse(&host::configuration(), &|name| std::env::var(name).ok(), host::now()) {
            Ok(configuration) => {
                configuration.warnings.iter().for_each(|warning| log::warn!("configuration: {warning}"));
                Worker::new(self.id, configuration).map(|worker| Rc::new(RefCell::new(worker)))
            }
            Err(problems) => {
                problems.iter().for_each(|problem| log::error!("configuration refused: {problem}"));
                None
            }
        };
        self.worker.is_some()
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        let worker = Rc::clone(self.worker.as_ref()?);
        Some(Box::new(Exchange::new(id, worker)))
    }

    fn on_queue_ready(&mut self, _: u32) {
        self.with_worker(Worker::on_woken);
    }

    fn on_tick(&mut self) {
        self.with_worker(Worker::on_tick);
    }
}
