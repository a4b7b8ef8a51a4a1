//! Random requests: logins, refreshes, revocations, introspections, userinfo, guesses, and what makes no sense.

use std::{rc::Rc, time::Duration};

use super::{
    agenda::Event,
    fleet::WORKERS,
    malformed,
    model::{Ask, Intent, Login, Token},
    people::{NAMES, PASSWORDS},
    request::Request,
    settings::SECRET,
    world::World,
};

pub const TOKEN: &str = "/oauth2/token";
pub const REVOKE: &str = "/oauth2/revoke";
pub const INTROSPECT: &str = "/oauth2/introspect";
pub const USERINFO: &str = "/oauth2/userinfo";

/// Sends something, and says when the next request comes.
pub fn next(world: &Rc<World>) {
    let chance = &world.chance;
    let micros = match chance.below(40) {
        0 => 1_000_000 * chance.below(200),
        1..4 => 1_000_000 * chance.below(12),
        4..20 => chance.below(30_000),
        _ => chance.below(2_000),
    };
    world.later(Duration::from_micros(micros), Event::Traffic);
    if chance.one_in(25) {
        world.later(Duration::ZERO, Event::Fault);
    }
    let vm = chance.index(WORKERS);
    let (intent, request) = of_revoked(world, vm).unwrap_or_else(|| some_request(world));
    send(world, vm, intent.clone(), request.clone());
    if chance.one_in(12) {
        send(world, (vm + 1) % WORKERS, intent, request);
    }
}

/// Sends a request to the newest plugin of a VM.
pub fn send(world: &Rc<World>, vm: usize, intent: Intent, request: Request) -> u32 {
    let plugin = world.fleet.vms.borrow()[vm].plugin;
    let instance = world.instance(plugin).unwrap();
    let intent = intent.at_variant(instance.variant);
    let stream = world.next_stream();
    let ask = Ask {
        intent,
        plugin,
        process: instance.process,
        variant: instance.variant,
        address: request.address.clone(),
        sent: world.clock.now(),
        wall: world.wall(instance.process),
        is_whole: request.body.is_empty(),
    };
    world.note(|| format!("{stream} of {} to plugin {plugin}: {:?} (wall {})", ask.address, ask.intent, ask.wall));
    if let Intent::Login(login) = &ask.intent {
        let process = world.counted_in(ask.process);
        world.model.borrow_mut().guesses.begin(login, &ask.address, process);
    }
    world.model.borrow_mut().asks.insert(stream, ask);
    if !world.faults.are_over.get() && world.chance.one_in(25) {
        world.later(Duration::from_micros(world.chance.below(60_000)), Event::Leave(stream));
    }
    world.open(stream, plugin, request);
    stream
}

impl Intent {
    /// A client that the configuration has not is none.
    fn at_variant(self, variant: usize) -> Self {
        match self {
            Self::Login(login) => {
                Self::Login(Login { is_proven: login.is_proven && exists(login.client, variant), ..login })
            }
            Self::Refresh { client, is_proven, token } => {
                Self::Refresh { client, is_proven: is_proven && exists(client, variant), token }
            }
            Self::Revoke { client, is_proven, token } => {
                Self::Revoke { client, is_proven: is_proven && exists(client, variant), token }
            }
            other => other,
        }
    }
}

fn exists(client: &str, variant: usize) -> bool {
    client != "GUEST" || variant == 0
}

fn some_request(world: &World) -> (Intent, Request) {
    let chance = &world.chance;
    let address = address(world);
    let (access, refresh) = (some_token(world, |token| !token.is_refresh()), some_token(world, Token::is_refresh));
    match chance.below(100) {
        0..32 => login(world, address),
        32..60 => {
            refresh.map(|token| self::refresh(world, token, address.clone())).unwrap_or_else(|| login(world, address))
        }
        60..66 => match if chance.one_in(2) { access } else { refresh } {
            Some(token) => of_token(world, token, REVOKE, address),
            None => login(world, address),
        },
        66..78 => match if chance.one_in(3) { refresh } else { access } {
            Some(token) => of_token(world, token, INTROSPECT, address),
            None => login(world, address),
        },
        78..84 => match access {
            Some(token) => user_info(world, token, address),
            None => login(world, address),
        },
        84..88 => client_credentials(world, address),
        88..91 => secret(world, address),
        _ => malformed::some(world, address),
    }
}

/// By a clock that is behind, tokens live that were revoked long ago.
fn of_revoked(world: &World, vm: usize) -> Option<(Intent, Request)> {
    let process = world.fleet.vms.borrow()[vm].process;
    let is_behind = world.processes[process].skew.get() < 0;
    let token = {
        let model = world.model.borrow();
        let revoked: Vec<usize> = (0..model.tokens.len()).filter(|at| model.tokens[*at].denied.is_some()).collect();
        (is_behind && !revoked.is_empty() && world.chance.one_in(2)).then(|| *world.chance.pick(&revoked))
    };
    token.map(|token| of_token(world, token, INTROSPECT, address(world)))
}

fn address(world: &World) -> String {
    format!("192.0.2.{}:443", world.chance.below(8).min(world.chance.below(8)))
}

/// Mostly one of the newest, sometimes any, and sometimes one that has ended.
fn some_token(world: &World, is_wanted: impl Fn(&Token) -> bool) -> Option<usize> {
    let model = world.model.borrow();
    let mut wanted: Vec<usize> = (0..model.tokens.len()).filter(|at| is_wanted(&model.tokens[*at])).collect();
    match world.chance.below(10) {
        0 => wanted.retain(|at| model.has_ended(*at)),
        1..3 => {}
        _ => drop(wanted.drain(..wanted.len().saturating_sub(12))),
    }
    (!wanted.is_empty()).then(|| *world.chance.pick(&wanted))
}

pub fn login(world: &World, address: String) -> (Intent, Request) {
    let chance = &world.chance;
    let client = *chance.pick(&["APP", "APP", "WEB", "KEPT", "GUEST"]);
    let sources: &[&'static str] = match (client, world.settings.snapshot) {
        ("APP" | "WEB", true) => &["LISTED", "LOOKUP", "VERIFY", "SNAPSHOT"],
        ("APP" | "WEB", false) => &["LISTED", "LOOKUP", "VERIFY"],
        _ => &["LISTED"],
    };
    let name = if chance.one_in(6) { *chance.pick(&NAMES) } else { *chance.pick(&["alice", "bob", "erin", "erin"]) };
    let password = if chance.one_in(8) { "wrong" } else { PASSWORDS[chance.index(10) / 8] };
    let login = Login {
        client,
        is_proven: !(client == "WEB" && chance.one_in(12)),
        source: sources[chance.index(sources.len())],
        name,
        password,
    };
    of_login(login, address)
}

pub fn of_login(login: Login, address: String) -> (Intent, Request) {
    let mut form = vec![
        ("grant_type", "password"),
        ("client_id", login.client),
        ("auth_source_id", login.source),
        ("username", login.name),
        ("password", login.password),
        ("scope", "openid"),
    ];
    with_secret(&mut form, login.client, login.is_proven);
    let request = Request::post(TOKEN, &form, address);
    (Intent::Login(login), request)
}

fn with_secret(form: &mut Vec<(&str, &str)>, client: &str, is_proven: bool) {
    if is_proven && ["WEB", "KEPT", "MACHINE"].contains(&client) {
        form.push(("client_secret", SECRET));
    }
}

/// Mostly by the client that it was given to.
fn client_of(world: &World, token: usize) -> (&'static str, bool) {
    let client = world.model.borrow_mut().family_of(token).client;
    let client = if world.chance.one_in(15) { *world.chance.pick(&["APP", "WEB", "KEPT"]) } else { client };
    let is_public = client == "APP" || client == "GUEST";
    (client, is_public || !world.chance.one_in(15))
}

pub fn refresh(world: &World, token: usize, address: String) -> (Intent, Request) {
    let (client, is_proven) = client_of(world, token);
    refresh_by(world, token, client, is_proven, address)
}

pub fn refresh_by(
    world: &World,
    token: usize,
    client: &'static str,
    is_proven: bool,
    address: String,
) -> (Intent, Request) {
    let text = Rc::clone(&world.model.borrow().tokens[token].text);
    let mut form = vec![("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", &*text)];
    with_secret(&mut form, client, is_proven);
    (Intent::Refresh { client, is_proven, token }, Request::post(TOKEN, &form, address))
}

fn of_token(world: &World, token: usize, path: &'static str, address: String) -> (Intent, Request) {
    let (client, is_proven) =
        if path == INTROSPECT && world.chance.one_in(2) { ("WEB", true) } else { client_of(world, token) };
    let text = Rc::clone(&world.model.borrow().tokens[token].text);
    let mut form = vec![("client_id", client), ("token", &*text)];
    with_secret(&mut form, client, is_proven);
    let is_public = client == "APP" || client == "GUEST";
    let intent = match path {
        REVOKE => Intent::Revoke { client, is_proven, token },
        _ => Intent::Introspect { client, is_proven: is_proven && !is_public, token },
    };
    (intent, Request::post(path, &form, address))
}

fn user_info(world: &World, token: usize, address: String) -> (Intent, Request) {
    let authorization = format!("Bearer {}", world.model.borrow().tokens[token].text);
    let headers = vec![("authorization", authorization)];
    (Intent::UserInfo { token }, Request { method: "GET", path: USERINFO, headers, body: String::new(), address })
}

fn client_credentials(world: &World, address: String) -> (Intent, Request) {
    let client = *world.chance.pick(&["WEB", "MACHINE"]);
    let is_proven = !world.chance.one_in(5);
    let mut form = vec![("grant_type", "client_credentials"), ("client_id", client)];
    with_secret(&mut form, client, is_proven);
    (Intent::ClientCredentials { client, is_proven }, Request::post(TOKEN, &form, address))
}

fn secret(world: &World, address: String) -> (Intent, Request) {
    let client = *world.chance.pick(&["WEB", "KEPT", "MACHINE"]);
    let form = [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", "guess")];
    (Intent::Secret { client }, Request::post(TOKEN, &form, address))
}
