//! The memory in which passwords are checked: one piece for all plugins of a thread. Each change of a listener leaves a plugin
//! behind that drains for minutes, and a VM has 1 GiB for them all.

use std::{cell::Cell, cmp};

use crate::crypto::password::Arena;

/// The common piece of memory, while nobody has it.
#[derive(Default)]
pub(super) struct SharedArena(Cell<Arena>);

impl SharedArena {
    /// Memory for a check of so many bytes, if there is as much. While another plugin has the common piece, it is a new one.
    pub(super) fn borrow(&self, bytes: usize) -> Option<Arena> {
        let mut arena = self.0.take();
        arena.reserve(bytes).ok()?;
        Some(arena)
    }

    /// Keeps it for the next check. Of two that come back, the larger one is kept, and good for both.
    pub(super) fn give_back(&self, arena: Arena) {
        self.0.set(cmp::max_by_key(self.0.take(), arena, Arena::capacity));
    }
}
