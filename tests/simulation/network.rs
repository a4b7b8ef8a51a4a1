//! The network between plugins and upstreams: calls that are slow, lost, late, duplicated, or answered with garbage.

use std::{rc::Rc, time::Duration};

use token_endpoint::{outbound::Callout, runtime::HostError};

use super::{agenda::Event, host::CallAnswer, world::World};

/// A call on its way to its upstream.
#[derive(Clone)]
pub struct Call {
    pub id: u32,
    pub plugin: u32,
    pub process: usize,
    pub cluster: String,
    pub path: String,
    authorization: Option<String>,
    body: Vec<u8>,
    deadline: Duration,
    back: Way,
}

/// What becomes of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    After(Duration),
    Twice,
    Lost,
    Late,
    Garbage,
    Failed,
}

const PROMPT: Duration = Duration::from_micros(800);

impl World {
    /// Begins a call; how it goes is decided here.
    pub fn send(
        self: &Rc<Self>,
        plugin: u32,
        process: usize,
        callout: &Callout,
        timeout: Duration,
    ) -> Result<u32, HostError> {
        let id = self.calls.get() + 1;
        if callout.cluster == "pacing" {
            return self.ping(id, plugin, timeout);
        }
        if self.strikes("fault: a call that can't begin", 200) {
            self.trouble(plugin, &callout.cluster);
            return Err(HostError::InternalFailure);
        }
        self.calls.set(id);
        let header = callout.headers.iter().find(|(name, _)| name == "authorization");
        let mut call = Call {
            id,
            plugin,
            process,
            cluster: callout.cluster.clone(),
            path: callout.path.clone(),
            authorization: header.map(|(_, value)| String::from_utf8(value.expose().to_vec()).unwrap()),
            body: callout.body.as_ref().map(|body| body.expose().to_vec()).unwrap_or_default(),
            deadline: self.clock.now() + timeout,
            back: Way::After(PROMPT),
        };
        let mut there = PROMPT;
        if self.strikes("fault: a call that is slow", 12) {
            there = timeout / 3;
            call.back = Way::After(Duration::from_millis(self.chance.below(200)));
        } else if self.strikes("fault: a call that is sent twice", 40) {
            self.later(PROMPT * 2, Event::Arrive(Call { back: Way::Lost, ..call.clone() }));
        } else if self.strikes("fault: a call that is lost", 40) {
            return Ok(self.unanswered(&call));
        } else if self.strikes("fault: a call that arrives late", 40) {
            there = timeout + Duration::from_millis(self.chance.below(3000));
            call.back = Way::Late;
            self.unanswered(&call);
        } else if self.strikes("fault: an answer that is lost", 40) {
            call.back = Way::Lost;
            self.unanswered(&call);
        } else if self.strikes("fault: an answer that comes twice", 40) {
            call.back = Way::Twice;
        } else if self.strikes("fault: an answer that is garbage", 40) {
            call.back = Way::Garbage;
        } else if self.strikes("fault: an answer that is an error", 40) {
            call.back = Way::Failed;
        }
        self.later(there, Event::Arrive(call));
        Ok(id)
    }

    /// The upstream does what it is asked to.
    pub fn arrive(self: &Rc<Self>, call: Call) {
        let is_cut = match call.cluster.as_str() {
            "etcd" => self.processes[call.process].is_cut_off.get(),
            _ => self.faults.directories_are_down.get(),
        };
        if is_cut {
            self.unanswered(&call);
            return;
        }
        let answer = match call.cluster.as_str() {
            "etcd" => self.etcd.borrow_mut().answer(&call.path, &call.body, self.clock.now()),
            _ => self.directories.answer(&call.path, call.authorization.as_deref()),
        };
        match call.back {
            Way::After(delay) => {
                self.well(&call, delay);
                self.bring(&call, delay, answer);
            }
            Way::Twice => {
                self.well(&call, PROMPT);
                self.bring(&call, PROMPT, answer.clone());
                self.bring(&call, PROMPT * 2, answer);
            }
            Way::Garbage => {
                self.trouble(call.plugin, &call.cluster);
                self.bring(&call, PROMPT, self.garbage(&call.cluster, answer));
            }
            Way::Failed => {
                self.trouble(call.plugin, &call.cluster);
                self.bring(&call, PROMPT, CallAnswer::of(*self.chance.pick(&[500, 502, 503, 429]), "no"));
            }
            Way::Lost | Way::Late => {}
        }
    }

    fn well(&self, call: &Call, delay: Duration) {
        if call.cluster == "etcd" {
            self.no_trouble(call.plugin, self.clock.now() + delay);
        }
    }

    fn bring(&self, call: &Call, delay: Duration, answer: CallAnswer) {
        let at = self.clock.now() + delay;
        if at > call.deadline {
            self.unanswered(call);
        } else {
            if let Some(authorization) = &call.authorization {
                let who = (call.plugin, authorization.clone());
                self.verified.borrow_mut().entry(who).or_default().push(at);
            }
            self.agenda.add(at, Event::Answered(call.plugin, call.id, answer));
        }
    }

    /// There will be no answer, and that is told when its time is over.
    fn unanswered(&self, call: &Call) -> u32 {
        self.trouble(call.plugin, &call.cluster);
        self.agenda.add(call.deadline, Event::Answered(call.plugin, call.id, CallAnswer::none()));
        call.id
    }

    /// Something that says nothing: `null` of a directory would say that there is no such user.
    fn garbage(&self, cluster: &str, answer: CallAnswer) -> CallAnswer {
        let length = self.chance.index(answer.body.len().max(1));
        let mut bodies = vec![b"<html>".to_vec(), answer.body[..length].to_vec(), self.chance.bytes().to_vec()];
        if cluster == "etcd" {
            bodies.extend([b"{}".to_vec(), b"null".to_vec()]);
        }
        CallAnswer::of(200, self.chance.pick(&bodies).clone())
    }

    fn ping(&self, id: u32, plugin: u32, timeout: Duration) -> Result<u32, HostError> {
        let is_dead = self.faults.pacing_is_dead.get();
        if is_dead && self.chance.one_in(3) {
            return Err(HostError::BadArgument);
        }
        self.calls.set(id);
        let (delay, answer) = match (is_dead, self.chance.one_in(2)) {
            (false, _) => (Duration::from_micros(100), CallAnswer::of(204, "")),
            (true, true) => (timeout, CallAnswer::none()),
            (true, false) => (Duration::from_micros(300), CallAnswer::of(503, "")),
        };
        self.later(delay, Event::Answered(plugin, id, answer));
        Ok(id)
    }
}
