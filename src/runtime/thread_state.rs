//! What all plugins of a worker thread share.

use super::{arena::SharedArena, snapshots::SharedSources};

/// The memory in which passwords are checked, and the documents of users. A thread has one, from its first plugin to its last.
#[derive(Default)]
pub struct ThreadState {
    pub(super) arena: SharedArena,
    pub(super) sources: SharedSources,
}
