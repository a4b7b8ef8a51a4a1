//! No token without its password, its client and an active user; and none is refused to who has them all.

use std::{rc::Rc, time::Duration};

use serde_json::Value;

use super::{
    invariants,
    model::{Ask, Family, Kind, Login, Token},
    people::{self, Person},
    settings::{CACHE, STATUS_MAX_AGE},
    world::World,
};

pub fn login(world: &World, ask: &Ask, login: &Login, (is_ok, reason, past): (bool, &str, &str), body: &Value) {
    let known = who(world, ask, login.source, login.name);
    let knows = |person: &Person| person.password == login.password;
    if is_ok {
        if !login.is_proven || !known.iter().any(|person| knows(person) && person.status == "active") {
            world.violate("entitled", || format!("tokens for {login:?}, whom the directory knows as {known:?}"));
        }
        right(world, ask, login);
        world.count("family: begun");
        let family = begin(world, ask, login.client, Some((login.source, login.name)), login.password);
        take(world, ask, family, 0, body);
    }
    match reason {
        "wrong_credentials" if past == "user_limit" => {
            world.count("limit: a right password is told like a wrong one");
            friends(world, ask, login, "was told that a right password is wrong");
        }
        "too_many_attempts" => friends(world, ask, login, "has to wait for strangers"),
        "wrong_credentials" if known.iter().any(knows) && known.iter().all(knows) => {
            world.violate("honest", || format!("{login:?} is refused, whom the directory knows as {known:?}"));
        }
        "wrong_credentials" => wrong(world, ask, login),
        "abnormal_status" => {
            right(world, ask, login);
            if !known.iter().any(|person| knows(person) && person.status != "active") {
                world.violate("entitled", || format!("{login:?} is told a status; known are {known:?}"));
            }
        }
        "invalid_client" if !login.is_proven || login.client == "GUEST" => {}
        "invalid_client" => world.violate("honest", || format!("{login:?} has proven itself")),
        _ => {}
    }
    if !is_ok && reason != "abnormal_status" {
        let process = world.counted_in(ask.process);
        world.model.borrow_mut().guesses.slip(login, &ask.address, process);
    }
}

/// A friend who never failed waits for nobody. A directory that is asked for each password is asked for few at once.
fn friends(world: &World, ask: &Ask, login: &Login, what: &str) {
    let process = world.counted_in(ask.process);
    let is_blameless = world.model.borrow().guesses.is_blameless(login, &ask.address, process, ask.sent);
    if is_blameless && login.source != "VERIFY" {
        world.violate("friends", || format!("{login:?} from {} {what}", ask.address));
    }
}

fn right(world: &World, ask: &Ask, login: &Login) {
    let process = world.counted_in(ask.process);
    let (_, subjects) = world.model.borrow().guesses.of_login(login, &ask.address, process, ask.sent);
    if login.source == "VERIFY" {
        invariants::right_guess(world, ask, login, &subjects);
    }
    if invariants::is_remembered(world, ask) {
        world.model.borrow_mut().guesses.befriend(login, &ask.address, process, world.clock.now());
    }
}

fn wrong(world: &World, ask: &Ask, login: &Login) {
    let process = world.counted_in(ask.process);
    let (_, subjects) = world.model.borrow().guesses.of_login(login, &ask.address, process, ask.sent);
    invariants::wrong_guess(world, ask, &subjects);
}

/// Who somebody may have been taken for: by what was configured, or by what the directory has said since it may be asked.
pub fn who(world: &World, ask: &Ask, source: &str, name: &str) -> Vec<Person> {
    let process = &world.processes[ask.process];
    let jumped = process.jumped.get().is_some_and(|jumped| jumped + Duration::from_secs(3 * CACHE) > ask.sent);
    let cache = if jumped { 3 * CACHE } else { CACHE + 3 };
    let before = match source {
        "LISTED" => return people::listed(ask.variant).into_iter().filter(|person| person.name == name).collect(),
        "LOOKUP" => Duration::from_secs(cache),
        "VERIFY" => Duration::from_secs(2),
        _ => Duration::MAX,
    };
    world.directories.between(name, ask.sent.saturating_sub(before), world.clock.now())
}

/// The same where it is asked whether a token is good: what a directory has told is kept for a shorter time then.
pub fn who_is_asked_for(world: &World, ask: &Ask, source: &str, name: &str) -> Vec<Person> {
    match source {
        "LOOKUP" => {
            let since = ask.sent.saturating_sub(Duration::from_secs(STATUS_MAX_AGE + 3));
            world.directories.between(name, since, world.clock.now())
        }
        _ => who(world, ask, source, name),
    }
}

pub fn client(world: &World, ask: &Ask, client: &'static str, is_proven: bool, body: &Value) {
    if !is_proven {
        world.violate("entitled", || format!("a token for {client}, which has proven nothing"));
    }
    let family = begin(world, ask, client, None, "");
    take(world, ask, family, 0, body);
}

fn begin(
    world: &World,
    ask: &Ask,
    client: &'static str,
    user: Option<(&'static str, &'static str)>,
    password: &'static str,
) -> usize {
    let mut model = world.model.borrow_mut();
    model.families.push(Family {
        client,
        user,
        password,
        began: world.clock.now(),
        wall: ask.wall,
        ended: None,
        used: Default::default(),
        places: Vec::new(),
        is_uncertain: false,
        untold: Vec::new(),
    });
    model.families.len() - 1
}

/// Keeps the tokens of an answer.
pub fn take(world: &World, ask: &Ask, family: usize, generation: u32, body: &Value) {
    let mut model = world.model.borrow_mut();
    let token = |name: &str, kind| {
        let text = Rc::from(body[name].as_str()?);
        Some(Token {
            text,
            family,
            kind,
            issued: world.clock.now(),
            wall: world.wall(ask.process).min(ask.wall),
            denied: None,
        })
    };
    model.tokens.extend(token("access_token", Kind::Access));
    model.tokens.extend(token("refresh_token", Kind::Refresh(generation)));
}
