//! What can be said of a request before its body is there: not ours, refused, answered, or worth reading.

use super::{
    event::{Event, Outcome},
    oauth_error::OAuthError,
    reply,
    request_context::{RequestContext, RequestKind},
    route::{PublicDocument, Purpose, Route},
    settings::Endpoint,
};
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

/// A request whose body is on its way.
#[derive(Debug)]
pub struct Collecting {
    pub(super) head: Head,
    pub(super) purpose: Purpose,
}

impl Collecting {
    /// What is known of it yet.
    pub(crate) fn about(&self) -> RequestContext {
        RequestContext::only(self.purpose)
    }
}

impl Endpoint {
    /// The paths that are answered here.
    pub fn owned_paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter()
    }

    /// Whether requests to this path are answered here.
    pub fn owns(&self, path: &str) -> bool {
        self.paths.room(path).is_some()
    }

    /// Decides by method, content type and announced size, in the order that `docs/api.md` has.
    pub fn admit(&self, head: Head, now: UnixTime) -> Admission {
        let Some(room) = self.paths.room(&head.path) else { return Admission::Pass };
        if !room.knows(&head.method) {
            return refused(OAuthError::Method { allow: room.methods() }, room);
        }
        match room {
            _ if head.method == "OPTIONS" => told(reply::methods(room.methods(), self.preflight(&head, room)), room),
            Route::Document(document) => told(self.document(document, now), room),
            _ if head.method == "POST" && self.is_foreign_page(&head) => refused(OAuthError::ForeignPage, room),
            Route::Service(_) if !head.has_form() => refused(OAuthError::ContentType, room),
            Route::Service(service) => self.collect(head, Purpose::Service(service)),
            Route::UserInfo => self.collect(head, Purpose::UserInfo),
        }
    }

    fn document(&self, document: PublicDocument, now: UnixTime) -> Response {
        match document {
            PublicDocument::Keys => {
                reply::document("application/jwk-set+json", self.keys.jwks(now), self.jwks_max_age(now))
            }
            PublicDocument::Metadata => {
                reply::document("application/json", self.metadata.clone(), self.terms.lifetimes.jwks.as_secs())
            }
        }
    }

    fn collect(&self, head: Head, purpose: Purpose) -> Admission {
        let announced = head.content_length.unwrap_or(0);
        let limit = u64::try_from(self.max_request_bytes).unwrap_or(u64::MAX);
        if announced > limit {
            return refused(OAuthError::TooLarge, purpose);
        }
        Admission::Collect(Collecting { head, purpose })
    }

    /// No copy outlives a change of the keys.
    fn jwks_max_age(&self, now: UnixTime) -> u64 {
        let unchanged = self.keys.next_change(now).map(|change| change.seconds_since(now));
        self.terms.lifetimes.jwks.as_secs().min(unchanged.unwrap_or(u64::MAX))
    }
}

fn told(response: Response, room: Route) -> Admission {
    Admission::Reply(response, Event { about: RequestContext::only(room), outcome: Outcome::Told })
}

fn refused(refusal: OAuthError, topic: impl Into<RequestKind>) -> Admission {
    let (response, event) = reply::refusal(refusal, RequestContext::only(topic));
    Admission::Reply(response, event)
}
