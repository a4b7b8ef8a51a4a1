//! What the hashes of a list of users cost, in classes: an unknown name gets the cost of one of them.

use std::{collections::BTreeMap, sync::Arc};

use crate::crypto::password::PasswordHash;

/// The hashes by what they cost.
#[derive(Debug, Default)]
pub(super) struct CostClasses(BTreeMap<(u64, usize), Class>);

#[derive(Debug)]
struct Class {
    example: Arc<PasswordHash>,
    users: u32,
}

/// More than any directory has. What costs yet something else is no class.
const MOST: usize = 64;

impl CostClasses {
    /// One more user.
    pub(super) fn add(&mut self, hash: &Arc<PasswordHash>) {
        let cost = (hash.work(), hash.memory());
        if self.0.len() >= MOST && !self.0.contains_key(&cost) {
            return;
        }
        let class = self.0.entry(cost).or_insert_with(|| Class { example: Arc::clone(hash), users: 0 });
        class.users = class.users.saturating_add(1);
    }

    /// An example of the class that `choice` falls into: each class gets as large a part of all choices as of all users, and a
    /// choice stays in its class while users come and go, but for the part by which the class becomes smaller (weighted
    /// rendezvous hashing). None if there are no users.
    pub(super) fn choose(&self, choice: u64) -> Option<Arc<PasswordHash>> {
        let score = |(cost, class): &(&(u64, usize), &Class)| class.score(choice ^ mixed(cost.0));
        let chosen = self.0.iter().max_by(|one, other| score(one).total_cmp(&score(other)));
        chosen.map(|(_, class)| Arc::clone(&class.example))
    }
}

impl Class {
    fn score(&self, seed: u64) -> f64 {
        // Between zero and one, and neither of them.
        let even = ((mixed(seed) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
        -f64::from(self.users) / even.ln()
    }
}

/// SplitMix64's mixing: the bits of close numbers have nothing in common.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: &str = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    const DEAR: &str = "$2b$08$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    fn classes(cheap: usize, dear: usize) -> CostClasses {
        let [cheap_hash, dear_hash] = [CHEAP, DEAR].map(|text| Arc::new(PasswordHash::parse(text).unwrap()));
        let mut classes = CostClasses::default();
        (0..cheap).for_each(|_| classes.add(&cheap_hash));
        (0..dear).for_each(|_| classes.add(&dear_hash));
        classes
    }

    fn is_dear(classes: &CostClasses, choice: u64) -> bool {
        classes.choose(mixed(choice)).unwrap().work() > classes.0.first_key_value().unwrap().0.0
    }

    #[test]
    fn unknown_names_cost_as_users_do() {
        let classes = classes(750, 250);
        let dear = (0..10_000).filter(|choice| is_dear(&classes, *choice)).count();
        assert!((2_300..2_700).contains(&dear), "{dear}");
        assert!(CostClasses::default().choose(1).is_none());
    }

    #[test]
    fn a_name_keeps_its_cost_when_users_come_and_go() {
        let before = classes(750, 250);
        for after in [classes(751, 250), classes(750, 251), classes(749, 250)] {
            let changed = (0..10_000).filter(|choice| is_dear(&before, *choice) != is_dear(&after, *choice)).count();
            assert!(changed < 20, "{changed}");
        }
        let grown = classes(750, 500);
        assert!(
            (0..10_000).all(|choice| !is_dear(&before, choice) || is_dear(&grown, choice)),
            "none leaves what grows"
        );
    }
}
