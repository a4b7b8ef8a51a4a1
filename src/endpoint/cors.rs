//! Which pages may read an answer (Fetch §3.3, the CORS protocol): those that the request's own client allows and, where nobody
//! knows who asks, those that any client allows, since such an answer says nothing of anybody. What is public is for all.
//! Credentials are never allowed: tokens come in bodies, and there are no cookies.

use super::{
    event::{Event, Outcome},
    request_context::{RequestContext, RequestKind},
    route::Route,
    settings::Endpoint,
};
use crate::{
    http::{Head, Response},
    registry::web_origin::WebOrigin,
};

/// The page that a request comes from: its origin's place in the list of those that some client allows. None for all other
/// pages, and for who is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorsOrigin(Option<usize>);

impl Endpoint {
    /// The page that a request comes from.
    pub fn page(&self, head: &Head) -> CorsOrigin {
        let known = &self.registry.web_origins;
        let place = |origin: &String| known.binary_search_by(|known| known.as_str().cmp(origin)).ok();
        CorsOrigin(head.web_origin.as_ref().and_then(place))
    }

    /// Whether a page asks that may not read the answer: it may not guess either. Who is no page sends neither header. `Host` says
    /// nothing here: a name that leads to this machine is anybody's (DNS rebinding).
    pub(super) fn is_foreign_page(&self, head: &Head) -> bool {
        match &head.web_origin {
            Some(origin) => origin != self.origin.as_str() && self.page(head) == CorsOrigin::default(),
            None => head.is_cross_site,
        }
    }

    /// What a page is told that asks before it asks. Nothing, if it may not ask or does not.
    pub(super) fn preflight(&self, head: &Head, room: Route) -> Vec<(&'static str, String)> {
        let may_ask = is_public(room.into()) || self.page(head) != CorsOrigin::default();
        if !(head.is_preflight && head.web_origin.is_some() && may_ask) {
            return Vec::new();
        }
        let headers = [
            ("access-control-allow-methods", room.methods()),
            ("access-control-allow-headers", "authorization, content-type"),
            ("access-control-max-age", "600"),
        ];
        owned(headers)
    }

    /// Lets the page read the answer, if it may. Every answer passes through here on its way out.
    pub fn share(&self, mut response: Response, event: &Event, page: CorsOrigin) -> Response {
        response.headers.push(("x-content-type-options", "nosniff".to_owned()));
        response.headers.extend(self.sharing(event, page));
        response
    }

    /// The headers that say who may read it; `vary`, since for another page they are others (Fetch §3.2.5).
    fn sharing(&self, event: &Event, page: CorsOrigin) -> Vec<(&'static str, String)> {
        if is_public(event.about.topic) {
            return owned([(ALLOW_ORIGIN, "*")]);
        }
        if self.registry.web_origins.is_empty() {
            return Vec::new();
        }
        let mut headers = owned([("vary", "origin")]);
        if let Some(origin) = self.origin_of(page).filter(|origin| may_read(origin, event)) {
            headers.extend(owned([(ALLOW_ORIGIN, origin.as_str())]));
            headers.extend(owned(exposed(event.outcome)));
        }
        headers
    }

    fn origin_of(&self, CorsOrigin(place): CorsOrigin) -> Option<&WebOrigin> {
        self.registry.web_origins.get(place?)
    }
}

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

/// An answer that tells something of somebody is for the pages of a client that is known.
fn may_read(origin: &WebOrigin, event: &Event) -> bool {
    match &event.about {
        RequestContext { client: Some(client), .. } => client.allowed_origins.contains(origin),
        RequestContext { client: None, .. } => matches!(event.outcome, Outcome::Refused(_) | Outcome::Told),
    }
}

/// What a page can't read of an answer without being named: what to do next, where it was refused.
fn exposed(outcome: Outcome) -> Option<(&'static str, &'static str)> {
    let is_refused = matches!(outcome, Outcome::Refused(_));
    is_refused.then_some(("access-control-expose-headers", "retry-after, www-authenticate"))
}

fn is_public(topic: RequestKind) -> bool {
    match topic {
        RequestKind::Keys | RequestKind::Metadata => true,
        RequestKind::Token
        | RequestKind::Grant(_)
        | RequestKind::Revocation
        | RequestKind::Introspection
        | RequestKind::UserInfo => false,
    }
}

fn owned<'a>(headers: impl IntoIterator<Item = (&'static str, &'a str)>) -> Vec<(&'static str, String)> {
    headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}
