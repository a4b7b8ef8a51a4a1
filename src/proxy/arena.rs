//! The memory in which passwords are checked: one piece for all plugins of a VM. Each change of a listener leaves a plugin
//! behind that drains for minutes, and the VM has 1 GiB for them all.

use std::{cell::Cell, cmp};

use crate::crypto::password::Arena;

thread_local! {
    static ARENA: Cell<Arena> = Cell::default();
}

/// Memory for a check of so many bytes, if the VM has as much. While another plugin has the common piece, it is a new one.
pub fn borrow(bytes: usize) -> Option<Arena> {
    let mut arena = ARENA.take();
    arena.reserve(bytes).ok()?;
    Some(arena)
}

/// Keeps it for the next check. Of two that come back, the larger one is kept, and good for both.
pub fn give_back(arena: Arena) {
    ARENA.set(cmp::max_by_key(ARENA.take(), arena, Arena::capacity));
}
