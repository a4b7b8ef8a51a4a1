//! Two graces in a row that were used from elsewhere end their family, or are told; and nothing else is taken for that.

use super::{
    families::{end, excuse},
    invariants::is_allowed,
    model::{Ask, Fact, Family, Model, Token, UntoldUse},
    world::World,
};

/// A refresh that gave tokens.
#[derive(Clone, Debug)]
pub struct ToldUse {
    pub generation: u32,
    pub address: String,
    pub sent: std::time::Duration,
    pub fact: Fact,
}

/// A token was renewed: was it to be told, and was it?
pub fn renewed(world: &World, ask: &Ask, token: usize, is_told: bool) {
    let fact = Fact { is_stored: !is_allowed(world, ask), ..Fact::now(world, ask) };
    let mut model = world.model.borrow_mut();
    let known = &model.tokens[token];
    let (generation, family) = (known.generation(), &model.families[known.family]);
    if is_told {
        is_possible(world, ask, &model, known);
        world.count("family: told of graces from elsewhere");
        if !world.settings.only_tells {
            world.violate("graces", || format!("{ask:?} is told, and its family goes on"));
        }
    } else if let Some(fact) = is_second(world, ask, &model, known) {
        excuse(world, ask, (family, known), fact, "graces", || {
            format!("{ask:?} is in the second grace in a row from elsewhere, and nobody is told")
        });
    }
    let used = ToldUse { generation, address: ask.address.clone(), sent: ask.sent, fact };
    model.family_of(token).places.push(used);
}

/// A token was refused, and its family ends with it.
pub fn ended(world: &World, ask: &Ask, token: usize) {
    {
        let model = world.model.borrow();
        is_possible(world, ask, &model, &model.tokens[token]);
        if world.settings.only_tells {
            world.violate("graces", || format!("{ask:?} is refused, and was only to be told"));
        }
    }
    end(world, ask, token, "family: ended by graces from elsewhere");
}

/// Both graces may have been used from two places.
fn is_possible(world: &World, ask: &Ask, model: &Model, token: &Token) {
    let family = &model.families[token.family];
    let untold = model.untold(token.family, world);
    let is_shared = |generation: u32| {
        let told = family.places.iter().filter(|used| used.generation == generation).map(|used| &used.address);
        let untold = untold.iter().filter(|used| used.generation == generation).map(|used| &used.address);
        let this = (token.generation() == generation).then_some(&ask.address);
        let mut addresses: Vec<_> = told.chain(untold).chain(this).collect();
        addresses.sort();
        addresses.dedup();
        addresses.len() > 1
    };
    let before = token.generation().checked_sub(1);
    if !family.is_public() || !is_shared(token.generation()) || !before.is_some_and(is_shared) {
        world.violate("honest", || format!("{ask:?} is said to be in the second grace in a row from elsewhere"));
    }
}

/// Whether that is certain: since when the first of both generations was there.
fn is_second(world: &World, ask: &Ask, model: &Model, token: &Token) -> Option<Fact> {
    let family = &model.families[token.family];
    let untold = model.untold(token.family, world);
    let generation = token.generation();
    let before = begun(family, &untold, generation.checked_sub(1)?)?;
    let is_elsewhere = |used: &&ToldUse| used.generation == before.generation && used.address != before.address;
    let again = family.places.iter().filter(is_elsewhere).find(|used| used.fact.is_stored)?;
    let first = begun(family, &untold, generation)?;
    let is_like_first = |used: u32, address: &String| used != generation || *address == first.address;
    let is_the_only = family.places.iter().all(|used| is_like_first(used.generation, &used.address))
        && untold.iter().all(|used| is_like_first(used.generation, &used.address));
    let is_later = ask.sent > first.fact.at && first.sent > again.fact.at;
    (family.is_public() && is_the_only && is_later && ask.address != first.address).then_some(before.fact)
}

/// The use that certainly began the generation after this one.
fn begun<'a>(family: &'a Family, untold: &[UntoldUse], generation: u32) -> Option<&'a ToldUse> {
    let mut uses = family.places.iter().filter(|used| used.generation == generation);
    let first = uses.next().filter(|first| first.fact.is_stored)?;
    let is_first = uses.all(|used| used.sent > first.fact.at)
        && untold.iter().all(|used| used.generation != generation || used.sent > first.fact.at);
    is_first.then_some(first)
}
