//! One instance of the plugin in one worker thread, as its configuration document wants it.

use std::{cell::RefCell, rc::Rc};

use super::{host::Host, pause_filter::PauseFilter, thread_state::ThreadState, worker::Worker};
use crate::config::{self, Configuration, Environment, Problem, Role};

/// What a plugin is there for.
pub enum Plugin<H: Host> {
    /// It answers requests for tokens and of tokens.
    TokenEndpoint(Rc<RefCell<Worker<H>>>),
    /// It holds requests back, for a token endpoint in front of it that can't.
    PauseFilter(PauseFilter),
}

impl<H: Host> Plugin<H> {
    /// Reads the document. What is wrong with it, and what an operator should know, is logged. None if it is refused, or if the
    /// host can't share values.
    pub fn configure(host: H, thread: Rc<ThreadState>, document: &[u8], environment: Environment) -> Option<Self> {
        let role = config::parse_any(document, environment, host.now());
        match role.inspect_err(|problems| refuse(problems)).ok()? {
            Role::PauseFilter(paths) => Some(Self::PauseFilter(PauseFilter::new(paths))),
            Role::TokenEndpoint(configuration) => Self::token_endpoint(host, thread, *configuration),
        }
    }

    fn token_endpoint(host: H, thread: Rc<ThreadState>, configuration: Configuration) -> Option<Self> {
        configuration.warnings.iter().for_each(|warning| log::warn!("configuration: {warning}"));
        let worker = Worker::new(host, thread, configuration)?;
        Some(Self::TokenEndpoint(Rc::new(RefCell::new(worker))))
    }
}

fn refuse(problems: &[Problem]) {
    problems.iter().for_each(|problem| log::error!("configuration refused: {problem}"));
}
