//! The filter as Envoy sees it: the root context is configured, hands out exchanges and is called when it is time to
//! work. All of WebAssembly's world is in this folder, and nothing of OAuth's.

mod arena;
mod attempts;
mod audit;
mod calls;
mod errand;
mod exchange;
mod families;
mod holder;
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

use self::{exchange::Exchange, holder::Holder, worker::Worker};
use crate::config::{self, Configuration, Problem, Role};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Debug);
    proxy_wasm::set_root_context(|id| Box::new(Root { id, plugin: None }));
}}

/// One instance of the plugin in one worker.
struct Root {
    id: u32,
    plugin: Option<Plugin>,
}

/// What the plugin is there for.
enum Plugin {
    TokenEndpoint(Rc<RefCell<Worker>>),
    Holder(Rc<[String]>),
}

impl Root {
    fn with_worker(&self, act: impl FnOnce(&mut Worker)) {
        if let Some(Plugin::TokenEndpoint(worker)) = &self.plugin {
            act(&mut worker.borrow_mut());
        }
    }

    /// None if the host can't share data.
    fn plugin_for(&self, role: Role) -> Option<Plugin> {
        match role {
            Role::Holder(paths) => Some(Plugin::Holder(paths.into())),
            Role::TokenEndpoint(configuration) => self.token_endpoint(*configuration),
        }
    }

    fn token_endpoint(&self, configuration: Configuration) -> Option<Plugin> {
        configuration.warnings.iter().for_each(|warning| log::warn!("configuration: {warning}"));
        let worker = Worker::new(self.id, configuration)?;
        Some(Plugin::TokenEndpoint(Rc::new(RefCell::new(worker))))
    }
}

fn refuse(problems: &[Problem]) {
    problems.iter().for_each(|problem| log::error!("configuration refused: {problem}"));
}

impl Context for Root {
    fn on_http_call_response(&mut self, call: u32, _: usize, body_size: usize, _: usize) {
        self.with_worker(|worker| worker.on_call_answered(call, body_size));
    }
}

impl RootContext for Root {
    /// False makes Envoy refuse the configuration, or keep the one it has.
    fn on_configure(&mut self, _: usize) -> bool {
        let role = config::parse_any(&host::configuration(), &|name| std::env::var(name).ok(), host::now());
        let role = role.inspect_err(|problems| refuse(problems)).ok();
        self.plugin = role.and_then(|role| self.plugin_for(role));
        self.plugin.is_some()
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match self.plugin.as_ref()? {
            Plugin::TokenEndpoint(worker) => Box::new(Exchange::new(id, Rc::clone(worker))),
            Plugin::Holder(paths) => Box::new(Holder::new(Rc::clone(paths))),
        })
    }

    fn on_queue_ready(&mut self, _: u32) {
        self.with_worker(Worker::on_woken);
    }

    fn on_tick(&mut self) {
        self.with_worker(Worker::on_tick);
    }
}
