//! A generation that was used yields no second one after the grace, what has ended stays ended, and what is good is served.

use std::time::Duration;

use serde_json::Value;

use super::{
    entitlement, graces,
    invariants::is_allowed,
    model::{Ask, Fact, Family, Model, Token, Used},
    people::Person,
    settings::{ACCESS_TOKEN, GRACE, REFRESH_TOKEN, SKEW, has_client},
    world::{World, wall_of},
};

type Caller<'a> = (&'a &'static str, bool);

pub fn refresh(
    world: &World,
    ask: &Ask,
    (client, is_proven): Caller,
    token: usize,
    (is_ok, reason, is_told): (bool, &str, bool),
    body: &Value,
) {
    match reason {
        _ if is_ok => {
            graces::renewed(world, ask, token, is_told);
            renewed(world, ask, client, is_proven, token, body);
        }
        "invalid_refresh_token" if is_told => graces::ended(world, ask, token),
        "abnormal_status" if is_allowed(world, ask) => world.model.borrow_mut().make_uncertain(ask, world),
        "abnormal_status" => end(world, ask, token, "family: ended with its user"),
        "invalid_refresh_token" if is_proven && *client == world.model.borrow_mut().family_of(token).client => {
            not_renewed(world, ask, token);
        }
        _ => {}
    }
}

fn renewed(world: &World, ask: &Ask, client: &str, is_proven: bool, token: usize, body: &Value) {
    good(world, ask, token);
    let mut model = world.model.borrow_mut();
    let generation = model.tokens[token].generation();
    let family = model.family_of(token);
    let user = family.user;
    if !is_proven || client != family.client {
        world.violate("entitled", || format!("{client} has renewed a token of {}", family.client));
    }
    let next = if family.is_kept() {
        world.count("family: renewed without rotation");
        0
    } else {
        let used = Used {
            fact: Fact { is_stored: !is_allowed(world, ask), ..Fact::now(world, ask) },
            walls: walls(world, ask),
        };
        family.is_uncertain |= !used.fact.is_stored;
        let before = family.used.entry(generation).or_insert(used);
        // Of two at once, the one that was answered last may have been the first that the store was told of.
        if ask.sent < before.fact.at {
            before.walls = (before.walls.0.min(used.walls.0), before.walls.1.max(used.walls.1));
        }
        world.count(if before.fact.at == used.fact.at {
            "family: renewed"
        } else {
            "family: renewed twice within the grace"
        });
        generation + 1
    };
    let family = model.tokens[token].family;
    let password = model.families[family].password;
    drop(model);
    let is_active = user.is_some_and(|(source, name)| {
        let known = entitlement::who(world, ask, source, name);
        known.iter().any(|person| person.status == "active" && person.password == password)
    });
    if !is_active {
        world.violate("entitled", || format!("{user:?} is not active, or has a new password, and renewed a token"));
    }
    entitlement::take(world, ask, family, next, body);
}

/// Was that right? If it was used before, its family ends.
fn not_renewed(world: &World, ask: &Ask, token: usize) {
    let model = world.model.borrow();
    let Token { family, .. } = model.tokens[token];
    let (family, known) = (&model.families[family], &model.tokens[token]);
    let is_theft = reuse(world, ask, &model, known).is_some_and(|fact| fact.is_stored)
        && lives(world, ask, family.wall, known.wall);
    let is_unused = !family.used.keys().any(|used| *used >= known.generation());
    let is_fresh = world.clock.now() < family.began + Duration::from_secs(REFRESH_TOKEN - 5)
        && world.clock.now() < known.issued + Duration::from_secs(895);
    let is_honest = is_unused
        && is_fresh
        && family.ended.is_none()
        && !model.is_uncertain(known.family)
        && has_password(world, ask, family)
        && is_steady(world, family.began);
    if !is_fresh {
        world.count("family: ended by itself");
    }
    if family.ended.is_some() {
        world.count("family: refused since it has ended");
    }
    drop(model);
    if is_honest {
        world.violate("honest", || format!("{ask:?} is refused"));
    }
    // Where nobody waits for the store, a family may not be remembered as ended.
    if is_theft && !is_allowed(world, ask) {
        end(world, ask, token, "family: ended by a theft");
    }
    world.model.borrow_mut().family_of(token).is_uncertain = true;
}

/// Whether a token has certainly not ended by itself, by the wall clock of who was asked.
fn lives(world: &World, ask: &Ask, login: u64, issued: u64) -> bool {
    let is_young = |now: u64| now + 20 < login + REFRESH_TOKEN && now + 20 < issued + 900;
    is_young(ask.wall) && is_young(world.wall(ask.process)) && ask.wall + 60 > world.wall(ask.process)
}

/// Whether the user certainly has the password still that the family began with.
fn has_password(world: &World, ask: &Ask, family: &Family) -> bool {
    let Some((source, name)) = family.user else { return true };
    entitlement::who(world, ask, source, name).iter().all(|person| person.password == family.password)
}

fn is_steady(world: &World, since: Duration) -> bool {
    world
        .processes
        .iter()
        .all(|process| process.skew.get() == 0 && process.jumped.get().is_none_or(|jumped| jumped < since))
}

pub fn end(world: &World, ask: &Ask, token: usize, how: &str) {
    let mut model = world.model.borrow_mut();
    let family = model.family_of(token);
    if family.ended.is_none() || family.ended.is_some_and(|fact| is_forgotten(world, ask, fact)) {
        world.count(how);
        family.ended = Some(Fact::now(world, ask));
    }
}

pub fn revoke(world: &World, ask: &Ask, (client, is_proven): Caller, token: usize, outcome: &str, reason: &str) {
    let owner = world.model.borrow_mut().family_of(token).client;
    if reason == "token_of_another" && owner == *client {
        world.violate("honest", || format!("{client} can't revoke its own token"));
    }
    if outcome != "revoked" {
        return;
    }
    if owner != *client || !is_proven {
        world.violate("entitled", || format!("{client} has revoked a token of {owner}"));
    }
    if world.model.borrow().tokens[token].is_refresh() {
        return end(world, ask, token, "family: ended by a revocation");
    }
    world.count("token: denied alone");
    world.model.borrow_mut().tokens[token].denied.get_or_insert(Fact::now(world, ask));
}

pub fn introspect(world: &World, ask: &Ask, (client, is_proven): Caller, token: usize, is_active: bool) {
    let (is_refresh, owner) = {
        let mut model = world.model.borrow_mut();
        (model.tokens[token].is_refresh(), model.family_of(token).client)
    };
    if is_active {
        if !is_proven || is_refresh && owner != *client {
            world.violate("entitled", || format!("{client} was told of a token of {owner}"));
        }
        is_good(world, ask, token);
    } else if !is_refresh {
        is_bad(world, ask, token);
    }
}

/// A token is said to be good, or its user's claims are told.
pub fn is_good(world: &World, ask: &Ask, token: usize) {
    good(world, ask, token);
    let model = world.model.borrow();
    if !has_owner(world, ask, &model.families[model.tokens[token].family], false) {
        world.violate("entitled", || {
            format!("{ask:?} is good, and its client is gone, or its user is gone, locked or has a new password")
        });
    }
}

/// Whether the configuration has the client, and a directory that can be asked has the user who got the token, active and with the
/// same password, at some time (`all`: at all times) from when it may have been asked to now.
fn has_owner(world: &World, ask: &Ask, family: &Family, all: bool) -> bool {
    if !has_client(ask.variant, family.client) {
        return false;
    }
    let Some((source, name)) = family.user.filter(|(source, _)| *source != "VERIFY") else { return true };
    let known = entitlement::who_is_asked_for(world, ask, source, name);
    let is_owner = |person: &Person| person.is_active() && person.password == family.password;
    if all { known.iter().all(is_owner) } else { known.iter().any(is_owner) }
}

/// An access token is refused: it must have ended, or nobody knows.
pub fn is_bad(world: &World, ask: &Ask, token: usize) {
    let model = world.model.borrow();
    let known = &model.tokens[token];
    let family = &model.families[known.family];
    let is_fresh = world.clock.now() < known.issued + Duration::from_secs(ACCESS_TOKEN - 5);
    let has_ended = known.denied.is_some() || family.ended.is_some() || model.is_uncertain(known.family);
    let is_owned = has_owner(world, ask, family, true);
    if !is_owned {
        world.count(if has_client(ask.variant, family.client) {
            "token: ended with its user"
        } else {
            "token: ended with its client"
        });
    }
    if is_fresh && !has_ended && is_owned && is_steady(world, family.began) {
        world.violate("honest", || format!("{ask:?}: the token of {:?} at {} is good", family.user, family.client));
    }
}

/// A token was taken for good: it must be.
fn good(world: &World, ask: &Ask, token: usize) {
    let model = world.model.borrow();
    let known = &model.tokens[token];
    let family = &model.families[known.family];
    let ended = family.ended.or(known.denied).filter(|fact| fact.at < ask.sent);
    if let Some(fact) = ended {
        excuse(world, ask, (family, known), fact, "ended stays ended", || {
            format!("{ask:?} is good, and ended at {:?}", fact.at)
        });
    }
    let used = if known.is_refresh() && !family.is_kept() { reuse(world, ask, &model, known) } else { None };
    if let Some(fact) = used {
        excuse(world, ask, (family, known), fact, "one generation", || {
            format!("{ask:?} is good, and was used at {:?}", fact.at)
        });
    }
    let lifetime = if known.is_refresh() { 900 } else { ACCESS_TOKEN };
    if ask.wall > world.wall(ask.process).min(ask.wall).max(known.wall) + lifetime + 12
        && is_steady(world, family.began)
    {
        world.violate("entitled", || format!("{ask:?} is good, and has expired"));
    }
}

/// When a token was used, if it can't be used any more: after the grace by what clocks said, or once its successor was used. The
/// grace may run from an earlier use, at another proxy, of which nobody was told.
fn reuse(world: &World, ask: &Ask, model: &Model, token: &Token) -> Option<Fact> {
    let ((from, to), generation) = (walls(world, ask), token.generation());
    let untold = model.untold(token.family, world);
    let is_over = |(known, used): &(&u32, &Used)| {
        let earlier = untold.iter().filter(|other| other.generation == **known && other.sent < used.fact.at);
        let last = earlier.map(|other| other.wall).fold(used.walls.1, u64::max);
        let is_later = from > last + GRACE || to + GRACE + SKEW < used.walls.0;
        used.fact.at < ask.sent && (**known > generation || is_later)
    };
    model.families[token.family].used.range(generation..).find(is_over).map(|(_, used)| used.fact)
}

/// What the wall clock said from when it was asked to now.
fn walls(world: &World, ask: &Ask) -> (u64, u64) {
    let now = world.wall(ask.process);
    (ask.wall.min(now), ask.wall.max(now))
}

/// A violation, unless docs/state.md names it.
pub fn excuse(
    world: &World,
    ask: &Ask,
    (family, token): (&Family, &Token),
    fact: Fact,
    invariant: &str,
    what: impl FnOnce() -> String,
) {
    if is_forgotten(world, ask, fact) {
        world.count("exception: a restart with local state");
    } else if is_over_in_etcd(world, family, token, fact) {
        world.count("exception: a clock behind the end of what etcd remembers");
    } else if is_allowed(world, ask) || !fact.is_stored {
        world.count("exception: on_store_failure: allow");
    } else {
        world.violate(invariant, what);
    }
}

/// Exception: etcd forgets what has ended ten minutes after the token's end, by the clock that is furthest ahead of those that write
/// before it; a proxy whose clock is behind that one by more takes the token for good.
fn is_over_in_etcd(world: &World, family: &Family, token: &Token, fact: Fact) -> bool {
    const WINDOW: u64 = 600;
    /// What a request may take, and a rounding of seconds.
    const SLACK: u64 = 30;
    let is_of_one = token.denied.is_some() && family.ended.is_none();
    let until = if is_of_one { token.wall + ACCESS_TOKEN } else { family.wall + REFRESH_TOKEN };
    let has_forgotten = |(since, skew): &(Duration, i64)| {
        let may_write = *since <= fact.at && wall_of(*since, *skew) <= until + ACCESS_TOKEN + SLACK;
        may_write && wall_of(world.clock.now(), *skew) + SLACK > until + WINDOW
    };
    let mut processes = world.processes.iter();
    world.settings.etcd && processes.any(|process| process.skews.borrow().iter().any(has_forgotten))
}

/// Exception: when a process restarts, what it remembered itself is forgotten.
fn is_forgotten(world: &World, ask: &Ask, fact: Fact) -> bool {
    !world.settings.etcd && fact.starts < world.processes[ask.process].starts.get()
}

impl Fact {
    pub fn now(world: &World, ask: &Ask) -> Self {
        Self { at: world.clock.now(), starts: world.processes[ask.process].starts.get(), is_stored: true }
    }
}
