//! The pure core as an engine: what the runtime does, in the few lines that it takes.

use std::cell::{Cell, RefCell};

use token_endpoint::{
    attempts::{AttemptQuestion, MemoryStore, TableKey},
    config::{self, Configuration},
    crypto::password::Arena,
    endpoint::{
        Admission, Continuation, Effect, Pending, Step, Unavailable, attempt::Counters, cors::CorsOrigin, event::Event,
    },
    http::{Head, Response},
    origin::Origin,
    secret::Secret,
    state::{self, Question},
    time::{Entropy, Moment, UnixTime},
};

use super::stories::Request;

/// An endpoint with a clock that the test sets, chance that never repeats, and a memory for attempts.
pub struct Core {
    pub configuration: Configuration,
    /// Seconds since 1970.
    pub now: Cell<u64>,
    /// Where requests come from.
    pub origin: Cell<Origin>,
    /// Seconds that go by with every step.
    pub pace: Cell<u64>,
    /// The units of password work that were done.
    pub work: Cell<u64>,
    /// What was last told to logs and metrics.
    pub event: RefCell<String>,
    chance: Cell<u8>,
    attempts: MemoryStore,
    /// What is remembered of tokens.
    pub families: RefCell<state::FamilyBucket>,
    /// Whether the memory of tokens can be asked.
    pub remembers: Cell<bool>,
    /// Whether there is time to sign.
    pub signs: Cell<bool>,
}

impl Core {
    /// Reads a configuration document; `{"env": NAME}` is looked up in `environment`.
    pub fn new(document: &str, environment: &[(&str, &str)]) -> Self {
        let variable =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        Self {
            configuration: config::parse(document.as_bytes(), &variable, UnixTime(1_800_000_000)).unwrap(),
            now: Cell::new(1_800_000_000),
            origin: Cell::default(),
            pace: Cell::new(0),
            work: Cell::new(0),
            event: RefCell::default(),
            chance: Cell::new(0),
            attempts: MemoryStore::default(),
            families: RefCell::default(),
            remembers: Cell::new(true),
            signs: Cell::new(true),
        }
    }

    /// The answer to a request.
    pub fn send(&self, request: &Request) -> Response {
        let path = request.path.split('?').next().unwrap().to_owned();
        let (head, body) = (head(request, path), Secret::new(request.body.as_bytes()));
        let page = self.configuration.endpoint.page(&head);
        match self.configuration.endpoint.admit(head, UnixTime(self.now.get())) {
            Admission::Pass => panic!("not a path of the endpoint: {request:?}"),
            Admission::Reply(response, event) => self.told(response, &event, page),
            Admission::Collect(collecting) => {
                let step = self.configuration.endpoint.begin(collecting, &body, self.origin.get(), self.moment());
                self.perform(step, page)
            }
        }
    }

    fn perform(&self, mut step: Step, page: CorsOrigin) -> Response {
        loop {
            step = match step {
                Step::Reply(response, event) => return self.told(response, &event, page),
                Step::Ask(effect) => self.ask(effect),
            };
        }
    }

    fn ask(&self, effect: Effect) -> Step {
        match effect {
            Effect::Reserve(guess, pending) => {
                self.resume(pending, Ok(self.attempt(|counters| counters.guess(&guess))))
            }
            Effect::Settle(end, pending) => {
                self.resume(pending, Ok(self.attempt(|counters| counters.settlement(&end))))
            }
            Effect::WrongSecret(it, pending) => {
                self.resume(pending, Ok(self.attempt(|counters| counters.wrong_secret(it))))
            }
            Effect::Find(_, pending) => self.resume(pending, Err(Unavailable::SOON)),
            Effect::Confirm(_, pending) => self.resume(pending, Err(Unavailable::SOON)),
            Effect::RefreshTokenUse(claim, pending) => self.resume(pending, self.remembered(claim)),
            Effect::CheckActive(token, pending) => self.resume(pending, self.remembered(token)),
            Effect::Remember(revoke, pending) => self.resume(pending, self.remembered(revoke)),
            Effect::Sign(_, pending) if !self.signs.get() => {
                self.resume(pending, Err(Unavailable { retry_after: 60, ..Unavailable::SOON }))
            }
            Effect::Sign(job, pending) => self.resume(pending, Ok(job.key.sign(job.input.as_bytes()).unwrap())),
            Effect::CheckSignature(check, pending) => self.resume(pending, Ok(check.is_good())),
            Effect::Verify(check, _, pending) => {
                self.work.set(self.work.get() + check.hash().work());
                let matches = check.start(Arena::default()).finish();
                self.resume(pending, Ok(matches))
            }
        }
    }

    fn resume<K: Continuation>(&self, pending: Pending<K>, result: Result<K::Result, Unavailable>) -> Step {
        self.configuration.endpoint.resume(pending, result, self.moment())
    }

    fn remembered<Q: Question>(&self, question: Q) -> Result<Q::Answer, Unavailable> {
        let is_there = self.remembers.get().then_some(()).ok_or(Unavailable::SOON);
        is_there.map(|()| question.ask(&mut self.families.borrow_mut(), UnixTime(self.now.get())))
    }

    fn attempt<Q: AttemptQuestion>(&self, question: impl Fn(Counters) -> Q) -> Q::Answer {
        let counters = Counters { key: &TableKey::new([7; 32]), limits: &self.configuration.attempts };
        question(counters).ask(&self.attempts, UnixTime(self.now.get())).unwrap()
    }

    fn moment(&self) -> Moment {
        self.chance.set(self.chance.get().wrapping_add(1));
        self.now.set(self.now.get() + self.pace.get());
        Moment { now: UnixTime(self.now.get()), entropy: Entropy::new([self.chance.get(); 32]) }
    }

    fn told(&self, response: Response, event: &Event, page: CorsOrigin) -> Response {
        *self.event.borrow_mut() = event.to_string();
        self.configuration.endpoint.share(response, event, page)
    }
}

pub fn head(request: &Request, path: String) -> Head {
    let header = |name| request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    Head {
        method: request.method.to_owned(),
        path,
        content_type: header("content-type"),
        content_length: Some(request.body.len() as u64),
        authorization: header("authorization").map(Secret::new),
        web_origin: header("origin"),
        is_cross_site: header("sec-fetch-site").is_some_and(|site| site == "cross-site"),
        is_preflight: header("access-control-request-method").is_some(),
        traceparent: header("traceparent"),
    }
}
