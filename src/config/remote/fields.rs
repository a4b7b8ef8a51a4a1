//! The fields of `lookup` and `verify`.

use std::time::Duration;

use super::pointer::{FieldPointer, Pointer, Scalar};
use crate::{
    config::{
        password_hash::HashForm,
        setting::{Span, Text},
        shape::{Filled, Seconds, Within, object, schema},
        upstream::fields::{AnswerFields, DEFAULT_BODY, RequestFields},
    },
    registry::remote::{AnswerPart, CacheLimits, CredentialsForm, HttpMethod},
};

/// The default of [`LookupFields::not_found`].
pub(crate) const NOT_FOUND: [u16; 1] = [404];
/// The default of [`VerifyFields::refused`].
pub(crate) const REFUSED: [u16; 2] = [401, 403];
/// The defaults of [`CacheFields`].
pub(crate) const DEFAULT_CACHE: CacheLimits = CacheLimits { max_entries: 1000, max_age: Duration::from_secs(10) };
/// What is kept for [`LookupFields::status_max_age`].
pub(crate) const DEFAULT_STATUS_CACHE: CacheLimits = CacheLimits { max_entries: 1000, max_age: Duration::from_secs(5) };

object! {
    /// A service that is asked for one user at a time, by identifier.
    #[schemars(transform = crate::config::upstream::fields::by_default(&crate::config::upstream::fields::DEFAULT_LIMITS))]
    pub(crate) struct LookupFields {
        /// How it is asked.
        method: Option<HttpMethod> = HttpMethod::default(),
        /// The body of a POST or PUT: JSON, or a form where the header `content-type` says so. It may have what `path` may have,
        /// encoded as a JSON string with its quotes, or as in a form.
        body: Option<Text>,
        /// Where in the answer the user is.
        user: FoundUserFields,
        /// Statuses that mean: no such user.
        not_found: Option<Vec<NotFoundForm>> = NOT_FOUND,
        /// A hash that costs what users' hashes cost, for unknown users. Without it: the last hash that was seen, at first one of
        /// OWASP's first choice.
        decoy_hash: Option<HashForm>,
        /// Keeps answers for a while. Without it, none is kept.
        cache: Option<CacheFields>,
        /// How old an answer may be by which introspection and userinfo tell whether a token's user may log in still.
        status_max_age: Option<Seconds<3600>> = Span(DEFAULT_STATUS_CACHE.max_age),
        ..request: RequestFields,
        ..answer: AnswerFields,
    }
}

object! {
    /// A service that checks passwords itself.
    #[schemars(transform = crate::config::upstream::fields::by_default(&crate::config::upstream::fields::DEFAULT_LIMITS), transform = of_credentials)]
    pub(crate) struct VerifyFields {
        /// How identifier and password are sent.
        credentials: Option<CredentialsForm> = CredentialsForm::default(),
        /// With `credentials: json` alone: the JSON that is sent, with `{identifier}` and `{password}` as JSON strings with their
        /// quotes.
        body: Option<Text> = DEFAULT_BODY,
        /// Statuses that mean: wrong password or unknown user.
        refused: Option<Vec<RefusedForm>> = REFUSED,
        /// Where in the answer the user is described. Without it, only the status is read, and the identifier is the user's id.
        user: Option<ConfirmedUserFields>,
        ..request: RequestFields,
        ..answer: AnswerFields,
    }
}

object! {
    /// Where in the answer a user is.
    pub(crate) struct FoundUserFields {
        /// A JSON Pointer (RFC 6901) to the user. Where it points to nothing, there is no such user.
        at: Option<Pointer> = "",
        /// In the user, where the id is: `sub` of the user's tokens.
        id: FieldPointer,
        /// In the user, where the password's hash is.
        password_hash: FieldPointer,
        ..mapping: MappingFields,
    }
}

object! {
    /// Where in the answer a user is described: by JSON Pointers (RFC 6901), or by names of headers.
    pub(crate) struct ConfirmedUserFields {
        /// What of the answer is read.
        from: Option<AnswerPart> = AnswerPart::default(),
        /// Where the id is: `sub` of the user's tokens. Without it, the identifier is.
        id: Option<PlaceForm>,
        ..mapping: MappingFields,
    }
}

object! {
    /// Where the rest of a user is described.
    pub(crate) struct MappingFields {
        /// Where the status is. Without it, all users may log in.
        status: Option<PlaceForm>,
        /// Values of `status` with which the user may log in. Of others, `locked` and `frozen` are told as such; all else is
        /// `disabled`.
        active: Option<Filled<Scalar>> = ["active"],
        /// Where the time of the last change of the password is: RFC 3339, or seconds since 1970. What was granted before ends.
        password_changed_at: Option<PlaceForm>,
        /// Claims for the user's tokens: where each is.
        claims: Option<ClaimPlaces>,
    }
}

object! {
    /// How many answers are kept, and for how long.
    pub(crate) struct CacheFields {
        /// The most answers, in each worker.
        max_entries: Option<Within<1, 1_000_000>> = DEFAULT_CACHE.max_entries,
        /// How old an answer may be.
        max_age: Option<Seconds<3600>> = Span(DEFAULT_CACHE.max_age),
    }
}

/// A status that may mean that there is no such user.
pub(crate) enum NotFoundForm {}

schema!(NotFoundForm, {
    "title": "200 to 299 or 400 to 499",
    "anyOf": [{"type": "integer", "minimum": 200, "maximum": 299}, {"type": "integer", "minimum": 400, "maximum": 499}],
});

/// A status that may mean that the password is wrong.
pub(crate) enum RefusedForm {}

schema!(RefusedForm, {"title": "400 to 499", "type": "integer", "minimum": 400, "maximum": 499});

/// A JSON Pointer to a field, or the name of a header.
pub(crate) enum PlaceForm {}

schema!(PlaceForm, {"title": "JSON Pointer or, with `from: headers`, the name of a header", "type": "string", "pattern": PLACE});

/// Places of claims by their names.
pub(crate) enum ClaimPlaces {}

schema!(ClaimPlaces, {
    "title": "JSON Pointers or, with `from: headers`, names of headers, each by a name",
    "type": "object",
    "additionalProperties": {"type": ["string", "null"], "pattern": PLACE},
    "propertyNames": {"not": {"enum": crate::config::reserved_claims::RESERVED}},
});

#[cfg(not(target_family = "wasm"))]
const PLACE: &str = r"^(/([^~]|~[01])*|[A-Za-z0-9!#$%&'*+.^_`|~-]+)$";

/// The proxy sends no credentials of its own, and no body, where it sends the user's as HTTP Basic.
#[cfg(not(target_family = "wasm"))]
fn of_credentials(schema: &mut schemars::Schema) {
    let json = serde_json::json!({"properties": {"credentials": {"const": CredentialsForm::Json}}, "required": ["credentials"]});
    schema.insert("if".to_owned(), json);
    schema.insert("else".to_owned(), serde_json::json!({"properties": {"authorization": false, "body": false}}));
}
