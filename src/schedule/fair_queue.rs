//! A queue in which those who wait take turns by where they come from: a crowd from one place waits for itself.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// Items in turns: one of each origin before a second of any, first come first served within an origin. Each takes so many
/// units of work.
#[derive(Debug)]
pub struct FairQueue<K, T> {
    lines: HashMap<K, VecDeque<(T, u64)>>,
    turns: VecDeque<K>,
    length: usize,
}

impl<K, T> Default for FairQueue<K, T> {
    fn default() -> Self {
        Self { lines: HashMap::new(), turns: VecDeque::new(), length: 0 }
    }
}

impl<K: Clone + Eq + Hash, T> FairQueue<K, T> {
    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// How many units of work would be done before a new item from `origin`, if none came after it.
    pub(crate) fn ahead_of(&self, origin: &K) -> u64 {
        let own = self.lines.get(origin).map_or(0, VecDeque::len);
        let turns = |other: &K| if other == origin { own } else { own + 1 };
        let before = |(other, line): (&K, &VecDeque<(T, u64)>)| units(line.iter().take(turns(other)));
        self.lines.iter().map(before).fold(0, u64::saturating_add)
    }

    /// How many units of work wait.
    pub(crate) fn work(&self) -> u64 {
        self.lines.values().map(|line| units(line)).fold(0, u64::saturating_add)
    }

    /// Puts an item at the end of its origin's line.
    pub(crate) fn push(&mut self, origin: K, item: T, units: u64) {
        let line = self.lines.entry(origin.clone()).or_default();
        if line.is_empty() {
            self.turns.push_back(origin);
        }
        line.push_back((item, units));
        self.length += 1;
    }

    /// The item whose turn it is.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn peek(&self) -> Option<&T> {
        let (item, _) = self.lines.get(self.turns.front()?)?.front()?;
        Some(item)
    }

    /// Takes out the item whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let origin = self.turns.pop_front()?;
        let line = self.lines.get_mut(&origin)?;
        let (item, _) = line.pop_front()?;
        self.length -= 1;
        if line.is_empty() {
            self.lines.remove(&origin);
        } else {
            self.turns.push_back(origin);
        }
        Some(item)
    }

    /// Takes out the items of `origin` that are `unwanted`.
    pub(crate) fn remove(&mut self, origin: &K, unwanted: impl Fn(&T) -> bool) {
        let Some(line) = self.lines.get_mut(origin) else { return };
        let before = line.len();
        line.retain(|(item, _)| !unwanted(item));
        self.length -= before - line.len();
        if line.is_empty() {
            self.lines.remove(origin);
            self.turns.retain(|waiting| waiting != origin);
        }
    }
}

fn units<'a, T: 'a>(items: impl IntoIterator<Item = &'a (T, u64)>) -> u64 {
    items.into_iter().fold(0, |units, (_, more)| units.saturating_add(*more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(items: &[(&'static str, u32)]) -> FairQueue<&'static str, u32> {
        let mut queue = FairQueue::default();
        items.iter().for_each(|(origin, item)| queue.push(*origin, *item, u64::from(*item)));
        queue
    }

    fn drain(mut queue: FairQueue<&'static str, u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn a_crowd_from_one_place_does_not_starve_a_single_caller() {
        let queue = queue(&[("crowd", 1), ("crowd", 2), ("crowd", 3), ("single", 4)]);
        assert_eq!(drain(queue), [1, 4, 2, 3]);
    }

    #[test]
    fn within_one_place_the_first_comes_first() {
        assert_eq!(drain(queue(&[("a", 1), ("a", 2), ("a", 3)])), [1, 2, 3]);
    }

    #[test]
    fn what_is_ahead_is_the_work_of_those_whose_turn_comes_before() {
        let queue = queue(&[("crowd", 1), ("crowd", 20), ("crowd", 300), ("other", 4000)]);
        assert_eq!(queue.ahead_of(&"newcomer"), 4001);
        assert_eq!(queue.ahead_of(&"other"), 4021);
        assert_eq!(queue.ahead_of(&"crowd"), 4321);
        assert_eq!(queue.work(), 4321);
    }

    #[test]
    fn what_was_removed_never_comes_and_leaves_no_turn() {
        let mut queue = queue(&[("a", 1), ("b", 2), ("b", 3)]);
        queue.remove(&"a", |item| *item == 1);
        queue.remove(&"b", |item| *item == 3);
        queue.remove(&"c", |_| true);
        assert_eq!((queue.len(), queue.ahead_of(&"a")), (1, 2));
        assert_eq!(drain(queue), [2]);
    }
}
