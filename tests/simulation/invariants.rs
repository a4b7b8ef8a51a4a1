//! What must hold after every event.

use std::{rc::Rc, time::Duration};

use serde_json::Value;

use super::{
    entitlement, families,
    guesses::{self, Subject},
    host::LOOK,
    model::{Ask, Intent, Login},
    people::credentials,
    settings::SLICE_MS,
    world::{Answer, World},
};

/// Looks at the clock in one turn that are not work on a password: what is called, queued and measured.
const OTHER_LOOKS: u32 = 16;
/// The longest that anybody waits for an answer, calls and queues included.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A turn is no longer than a slice and what is looked at around it.
pub fn slice(world: &World, plugin: u32, why: &str, busy: Duration) {
    if busy > Duration::from_millis(SLICE_MS) + LOOK * OTHER_LOOKS {
        world.violate("slice", || format!("plugin {plugin} ({why}) was busy for {busy:?}"));
    }
}

/// Looks at all answers that have come, and at those who wait still.
pub fn after_event(world: &Rc<World>) {
    let answers = world.answers.take();
    for answer in answers {
        world.close(answer.stream);
        let ask = world.model.borrow_mut().asks.remove(&answer.stream);
        match ask {
            Some(ask) => judge(world, &ask, &answer),
            None => {
                world.violate("one answer", || format!("stream {} is answered, and nobody is there", answer.stream))
            }
        }
    }
    waits(world);
}

/// Whoever waits is going to be served.
fn waits(world: &World) {
    let model = world.model.borrow();
    for (stream, ask) in model.asks.iter().filter(|(_, ask)| ask.is_whole) {
        let is_going_on = world.instance(ask.plugin).is_some_and(|instance| instance.host.is_going_on());
        if !is_going_on {
            world.violate("nobody waits", || format!("nothing will go on with {stream} ({:?})", ask.intent));
        }
        if world.clock.now() > ask.sent + LONGEST_WAIT {
            world.violate("one answer", || format!("{stream} ({:?}) waits since {:?}", ask.intent, ask.sent));
        }
    }
}

fn judge(world: &World, ask: &Ask, answer: &Answer) {
    let reason = answer.notes.get("reason").map_or("", String::as_str);
    let outcome = answer.notes.get("outcome").map_or("", String::as_str);
    let past = answer.notes.get("past").map_or("", String::as_str);
    let is_told = answer.notes.contains_key("grace");
    world.note(|| {
        let told = if is_told { " (grace from elsewhere)" } else { "" };
        format!("stream {} ({:?}) is answered {} {outcome} {reason}{told}", answer.stream, ask.intent, answer.status)
    });
    if !reason.is_empty() {
        world.count(&format!("refusal: {reason}"));
    }
    if reason == "too_many_attempts" && has_right_secret(&ask.intent) {
        world.violate("friends", || format!("{ask:?} has the right secret, and has to wait"));
    }
    if reason == "unavailable" {
        turned_away(world, ask, answer);
        world.model.borrow_mut().make_uncertain(ask, world);
    }
    let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let is_ok = answer.status == 200;
    match &ask.intent {
        Intent::Login(login) => entitlement::login(world, ask, login, (is_ok, reason, past), &body),
        Intent::Refresh { client, is_proven, token } => {
            families::refresh(world, ask, (client, *is_proven), *token, (is_ok, reason, is_told), &body);
        }
        Intent::Revoke { client, is_proven, token } => {
            families::revoke(world, ask, (client, *is_proven), *token, outcome, reason);
        }
        Intent::Introspect { client, is_proven, token } if is_ok => {
            families::introspect(world, ask, (client, *is_proven), *token, body["active"] == true);
        }
        Intent::UserInfo { token } if is_ok => families::is_good(world, ask, *token),
        Intent::UserInfo { token } if reason == "invalid_token" => families::is_bad(world, ask, *token),
        Intent::ClientCredentials { client, is_proven } if is_ok => {
            entitlement::client(world, ask, client, *is_proven, &body)
        }
        Intent::Secret { client } => secret(world, ask, client, reason, is_ok),
        Intent::Refused(expected) => refused(world, ask, expected, reason),
        Intent::Read if !is_ok => world.violate("one answer", || "a document is not there".to_owned()),
        _ => {}
    }
}

/// Whether a client has proven itself, and asks for nothing that can be guessed.
fn has_right_secret(intent: &Intent) -> bool {
    match intent {
        Intent::Refresh { is_proven, .. }
        | Intent::Revoke { is_proven, .. }
        | Intent::Introspect { is_proven, .. }
        | Intent::ClientCredentials { is_proven, .. } => *is_proven,
        _ => false,
    }
}

fn refused(world: &World, ask: &Ask, expected: &str, reason: &str) {
    if reason == "invalid_client" {
        return;
    }
    if !expected.contains(reason) && !["unavailable", "too_many_attempts"].contains(&reason) || reason.is_empty() {
        world.violate("refusals", || format!("{ask:?} is refused by {reason:?}"));
    }
}

fn secret(world: &World, ask: &Ask, client: &str, reason: &str, is_ok: bool) {
    if is_ok {
        world.violate("entitled", || format!("{client} has guessed"));
    }
    if reason == "invalid_client" {
        wrong_guess(world, ask, &guesses::of_secret(&ask.address));
    }
}

/// Who has to wait must not learn that a guess was wrong.
pub fn wrong_guess(world: &World, ask: &Ask, subjects: &[Subject]) {
    let process = world.counted_in(ask.process);
    if is_skewed(world) {
        return world.model.borrow_mut().guesses.forget_all();
    }
    let is_remembered = is_remembered(world, ask);
    if let Some(subject) = must_wait(world, ask, subjects, Duration::MAX) {
        if !is_remembered {
            return world.count("exception: on_store_failure: allow");
        }
        world.violate("limits", || format!("{subject} has to wait, and was told that {ask:?} is wrong"));
    }
    // One that was under way while the clock was set may be counted by either time.
    let has_jumped = world.processes[ask.process].jumped.get().is_some_and(|jumped| jumped >= ask.sent);
    if is_remembered && !has_jumped {
        let counted = (ask.wall, world.wall(ask.process));
        world.model.borrow_mut().guesses.fail(subjects, process, counted, world.clock.now());
    }
}

/// Nor that one was right, where that was not known before they had to.
pub fn right_guess(world: &World, ask: &Ask, login: &Login, subjects: &[Subject]) {
    let answers = world.verified.borrow();
    let who = (ask.plugin, credentials(login.name, login.password));
    let first = answers.get(&who).and_then(|times| times.iter().filter(|time| **time >= ask.sent).min());
    let Some(first) = first.filter(|_| !is_skewed(world) && is_remembered(world, ask)) else { return };
    if let Some(subject) = must_wait(world, ask, subjects, *first) {
        world.violate("limits", || format!("{subject} has to wait, and was told that {ask:?} is right"));
    }
}

/// Who of these has to wait, for failures that were told before `told`.
fn must_wait(world: &World, ask: &Ask, subjects: &[Subject], told: Duration) -> Option<String> {
    let (process, now) = (world.counted_in(ask.process), world.wall(ask.process));
    world.model.borrow().guesses.must_wait(subjects, process, now, told)
}

/// Whether failures are counted by clocks that are apart.
fn is_skewed(world: &World) -> bool {
    world.settings.attempts_in_etcd && world.processes.iter().any(|other| other.skew.get() != 0)
}

/// Whether what came of a guess is certainly counted. A store that could not be asked has not heard of it, and where such a guess
/// is allowed it holds nobody who comes later, by whatever plugin.
pub fn is_remembered(world: &World, ask: &Ask) -> bool {
    !(world.settings.attempts_in_etcd && is_allowed(world, ask))
}

/// Exception: with `on_store_failure: allow`, nobody is refused for what a store that can't be asked would say.
pub fn is_allowed(world: &World, ask: &Ask) -> bool {
    let trouble = world.store_trouble.borrow().get(&ask.plugin).copied();
    let since = ask.sent.saturating_sub(Duration::from_secs(25));
    world.settings.allow_store_failure
        && trouble.is_some_and(|trouble| trouble.last >= since || trouble.over.is_none_or(|over| over >= ask.sent))
}

/// Nobody is turned away for the length of a queue that is empty.
fn turned_away(world: &World, ask: &Ask, answer: &Answer) {
    let Intent::Login(login) = &ask.intent else { return };
    let is_local = !world.settings.etcd && login.source == "LISTED" && !world.faults.no_entropy.get();
    let model = world.model.borrow();
    let mut others = model.asks.values().filter(|other| other.plugin == ask.plugin);
    let was_alone = others.next().is_none() && world.answers.borrow().is_empty();
    if is_local && was_alone && world.clock.now() - ask.sent > Duration::from_millis(40) && answer.retry_after {
        world.violate("nobody waits", || format!("{ask:?} is turned away by an empty queue"));
    }
}
