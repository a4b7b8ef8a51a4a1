//! What can be said of a request before its body is there: not ours, refused, answered, or worth reading.

use super::{Endpoint, Event, Outcome, Refusal, reply};
use crate::{
    http::{Head, Response},
    time::UnixTime,
};

/// What becomes of a request, by its head alone.
#[derive(Debug)]
pub enum Admission {
    /// The path is none of ours.
    Pass,
    /// It is answered without its body.
    Reply(Response, Event),
    /// The body is needed.
    Collect(Collecting),
}

/// A token request whose body is on its way.
#[derive(Debug)]
pub struct Collecting {
    pub(super) head: Head,
}

const TOKEN_METHODS: &str = "POST, OPTIONS";
const JWKS_METHODS: &str = "GET, HEAD, OPTIONS";

impl Endpoint {
    /// Whether requests to this path are answered here.
    pub fn owns(&self, path: &str) -> bool {
        path == self.token_path || path == self.jwks_path
    }

    /// Decides by method, content type and announced size, in the order of the contract.
    pub fn admit(&self, head: Head, now: UnixTime) -> Admission {
        if head.path == self.token_path {
            self.admit_token_request(head)
        } else if head.path == self.jwks_path {
            self.answer_jwks_request(&head, now)
        } else {
            Admission::Pass
        }
    }

    fn admit_token_request(&self, head: Head) -> Admission {
        let announced = head.content_length.unwrap_or(0);
        let limit = u64::try_from(self.max_request_bytes).unwrap_or(u64::MAX);
        match &*head.method {
            "OPTIONS" => told(reply::methods(TOKEN_METHODS)),
            "POST" if !is_form(head.content_type.as_deref()) => refused(Refusal::ContentType),
            "POST" if announced > limit => refused(Refusal::TooLarge),
            "POST" => Admission::Collect(Collecting { head }),
            _ => refused(Refusal::Method { allow: TOKEN_METHODS }),
        }
    }

    fn answer_jwks_request(&self, head: &Head, now: UnixTime) -> Admission {
        match &*head.method {
            "GET" | "HEAD" => told(reply::jwks(self.keys.jwks(now), self.jwks_max_age(now))),
            "OPTIONS" => told(reply::methods(JWKS_METHODS)),
            _ => refused(Refusal::Method { allow: JWKS_METHODS }),
        }
    }

    /// No copy outlives a change of the keys.
    fn jwks_max_age(&self, now: UnixTime) -> u64 {
        let unchanged = self.keys.next_change(now).map(|change| change.seconds_since(now));
        self.terms.lifetimes.jwks.as_secs().min(unchanged.unwrap_or(u64::MAX))
    }
}

fn told(response: Response) -> Admission {
    Admission::Reply(response, Event { outcome: Outcome::Told, client: None })
}

fn refused(refusal: Refusal) -> Admission {
    let (response, event) = reply::refusal(refusal, None);
    Admission::Reply(response, event)
}

/// Whether a `Content-Type` names a form, whatever its parameters (RFC 9110 §8.3.1).
fn is_form(content_type: Option<&str>) -> bool {
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
