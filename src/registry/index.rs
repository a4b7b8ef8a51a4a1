//! A map in many small parts: a single large one would hold the worker for milliseconds whenever it grows or is dropped.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
};

/// Numbers by key.
#[derive(Debug)]
pub(super) struct Index<K> {
    state: RandomState,
    parts: Vec<HashMap<K, usize, RandomState>>,
}

const PARTS: usize = 64;

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { state: RandomState::new(), parts: Vec::new() }
    }
}

impl<K: Eq + Hash> Index<K> {
    /// Sets a key's number.
    pub(super) fn insert(&mut self, key: K, number: usize) {
        if self.parts.is_empty() {
            self.parts.resize_with(PARTS, || HashMap::with_hasher(self.state.clone()));
        }
        let part = self.part(&key);
        if let Some(part) = self.parts.get_mut(part) {
            part.insert(key, number);
        }
    }

    /// A key's number.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.parts.get(self.part(key))?.get(key).copied()
    }

    /// Whether a key is there.
    pub(super) fn contains<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// Drops one part. True once nothing is left; nothing is to be looked for meanwhile.
    pub(super) fn dismantle(&mut self) -> bool {
        self.parts.pop().is_none()
    }

    /// By the upper bits of the hash: the parts themselves use the lower ones.
    fn part<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        const { assert!(PARTS == 1 << 6) };
        usize::try_from(self.state.hash_one(key) >> 51 & 0x3f).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_nothing_else() {
        let mut index = Index::default();
        assert_eq!(index.get("0"), None);
        for number in 0..10_000 {
            index.insert(number.to_string(), number);
        }
        for number in 0..10_000 {
            assert_eq!(index.get(number.to_string().as_str()), Some(number));
        }
        assert!(!index.contains("10000"));
    }

    #[test]
    fn it_is_dropped_part_by_part() {
        let mut index = Index::default();
        index.insert(1, 1);
        assert_eq!((0..).take_while(|_| !index.dismantle()).count(), PARTS);
    }
}
