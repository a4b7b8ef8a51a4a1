//! The pure core as an engine: what the adapter does in Envoy, in the few lines that it takes.

use std::cell::{Cell, RefCell};

use token_endpoint::{
    attempts::{MemoryStore, TableKey},
    config::{self, Configuration},
    crypto::password::{Arena, Budget, Progress},
    endpoint::{Admission, Answer, Question, Step, attempt::Attempt, cors::Page, event::Event},
    http::{Head, Response},
    origin::Origin,
    secret::Secret,
    state,
    time::{Entropy, Moment, UnixTime},
};

use super::stories::Request;

/// An endpoint with a clock that the test sets, chance that never repeats, and a memory for attempts.
pub struct Core {
    pub configuration: Configuration,
    /// Seconds since 1970.
    pub now: Cell<u64>,
    /// Seconds that go by with every step.
    pub pace: Cell<u64>,
    /// The units of password work that were done.
    pub work: Cell<u64>,
    /// What was last told to logs and metrics.
    pub event: RefCell<String>,
    chance: Cell<u8>,
    attempts: MemoryStore,
    /// What is remembered of tokens.
    pub families: RefCell<state::Bucket>,
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
                let step = self.configuration.endpoint.begin(collecting, &body, Origin::default(), self.moment());
                self.perform(step, page)
            }
        }
    }

    fn perform(&self, mut step: Step, page: Page) -> Response {
        loop {
            let (answer, pending) = match step {
                Step::Reply(response, event) => return self.told(response, &event, page),
                Step::Ask(question, pending) => (self.answer(question), pending),
            };
            step = self.configuration.endpoint.resume(pending, answer, self.moment());
        }
    }

    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Attempt(attempt) => self.count(&attempt),
            Question::Find(_) | Question::Confirm(_) => Answer::Unavailable { retry_after: 1 },
            Question::State(_) if !self.remembers.get() => Answer::Unavailable { retry_after: 1 },
            Question::State(question) => {
                Answer::State(self.families.borrow_mut().answer(&question, UnixTime(self.now.get())))
            }
            Question::Sign(_) if !self.signs.get() => Answer::Unavailable { retry_after: 60 },
            Question::Sign(job) => Answer::Signed(job.key.sign(job.input.as_bytes()).unwrap()),
            Question::Verify(check) => {
                self.work.set(self.work.get() + check.hash().work());
                match check.start(Arena::default()).advance(Budget::UNLIMITED) {
                    Progress::Done { matches } => Answer::Verified(matches),
                    Progress::Working => panic!("unlimited work is not done"),
                }
            }
        }
    }

    fn count(&self, attempt: &Attempt) -> Answer {
        let counting = attempt.counting(&TableKey::new([7; 32]), &self.configuration.attempts);
        match counting.perform(&self.attempts, UnixTime(self.now.get())) {
            Ok(0) => Answer::Allowed,
            Ok(retry_after) => Answer::Limited { retry_after },
        }
    }

    fn moment(&self) -> Moment {
        self.chance.set(self.chance.get().wrapping_add(1));
        self.now.set(self.now.get() + self.pace.get());
        Moment { now: UnixTime(self.now.get()), entropy: Entropy::new([self.chance.get(); 32]) }
    }

    fn told(&self, response: Response, event: &Event, page: Page) -> Response {
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
        is_preflight: header("access-control-request-method").is_some(),
        traceparent: header("traceparent"),
    }
}
