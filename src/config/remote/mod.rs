//! The directories that are asked for one user at a time: `lookup` and `verify`.

pub(super) mod fields;
mod pointer;

use std::sync::Arc;

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use self::fields::{
    CacheFields, ConfirmedUserFields, DEFAULT_CACHE, DEFAULT_STATUS_CACHE, FoundUserFields, LookupFields,
    MappingFields, NOT_FOUND, REFUSED, VerifyFields,
};
use self::pointer::{FieldPointer, Pointer, Scalar};
use super::{
    bounds::{whole_seconds, within},
    context::{Allowances, Environment},
    document::{Node, Object},
    password_hash::password_hash,
    reserved_claims::RESERVED,
    setting::{Count, Setting},
    shape::Field,
    upstream::{self, Call},
};
use crate::registry::{
    auth_source::Directory,
    remote::{AnswerPart, CacheLimits, CredentialsForm, Lookup, StatusMapping, UserMapping, Verify},
};

/// Reads `lookup`.
pub(super) fn lookup(object: &mut Object, environment: Environment, allowances: Allowances) -> Option<Directory> {
    let upstream = upstream::read(object, environment, Call::Lookup);
    let user = object.required_with(LookupFields::user, |node| node.object(found_user)).flatten().flatten();
    let not_found =
        statuses(object, LookupFields::not_found, &NOT_FOUND, |status| matches!(status, 200..=299 | 400..=499));
    let decoy = object.with(LookupFields::decoy_hash, |node| password_hash(node, allowances)).flatten();
    let cache = object.nested(LookupFields::cache, cache);
    let status_max_age = whole_seconds(object, LookupFields::status_max_age);
    let limits = upstream::limits(object);
    let FoundUser { at, password_hash, mapping } = user?;
    let upstream = upstream?;
    let decoy = decoy.map(Arc::new);
    let allow_weak_hashes = allowances.weak_hashes;
    Some(Directory::Lookup(Box::new(Lookup {
        upstream,
        limits,
        cache,
        status_cache: CacheLimits {
            max_age: status_max_age.unwrap_or(DEFAULT_STATUS_CACHE.max_age),
            ..DEFAULT_STATUS_CACHE
        },
        decoy,
        not_found,
        at,
        password_hash,
        mapping,
        allow_weak_hashes,
    })))
}

/// Reads `verify`.
pub(super) fn verify(object: &mut Object, environment: Environment) -> Option<Directory> {
    let credentials = object.optional(VerifyFields::credentials).unwrap_or_default();
    let call = match credentials {
        CredentialsForm::Basic => Call::Basic,
        CredentialsForm::Json => Call::Json,
    };
    let upstream = upstream::read(object, environment, call);
    let refused = statuses(object, VerifyFields::refused, &REFUSED, |status| matches!(status, 400..=499));
    let (source, mapping) =
        object.nested(VerifyFields::user, confirmed_user).unwrap_or((AnswerPart::Nothing, UserMapping::default()));
    let limits = upstream::limits(object);
    Some(Directory::Verify(Box::new(Verify { upstream: upstream?, limits, credentials, refused, source, mapping })))
}

struct FoundUser {
    at: String,
    password_hash: String,
    mapping: UserMapping,
}

fn found_user(object: &mut Object) -> Option<FoundUser> {
    let at = object.optional(FoundUserFields::at).map(|Pointer(at)| at).unwrap_or_default();
    let id = object.required(FoundUserFields::id).map(|FieldPointer(at)| at);
    let password_hash = object.required(FoundUserFields::password_hash).map(|FieldPointer(at)| at);
    let mapping = mapping(object, id.clone(), AnswerPart::Body);
    id?;
    Some(FoundUser { at, password_hash: password_hash?, mapping })
}

/// Where a confirmed user is described. What is not said is the identifier, or that the user is active.
fn confirmed_user(object: &mut Object) -> (AnswerPart, UserMapping) {
    let source = object.optional(ConfirmedUserFields::from).unwrap_or_default();
    let id = object.with(ConfirmedUserFields::id, |node| place(node, source)).flatten();
    (source, mapping(object, id, source))
}

fn mapping(object: &mut Object, id: Option<String>, source: AnswerPart) -> UserMapping {
    let status = object.with(MappingFields::status, |node| place(node, source)).flatten();
    let active = object.with(MappingFields::active, |node| node.each_of_some(|node| scalar(node, source)));
    if status.is_none() && active.is_some() {
        object.problem(MappingFields::active.name, "of no use without status");
    }
    let active = active.unwrap_or_else(|| vec![Value::from("active")]);
    let password_changed_at = object.with(MappingFields::password_changed_at, |node| place(node, source)).flatten();
    let claims = object.nested(MappingFields::claims, |object| claims(object, source)).unwrap_or_default();
    UserMapping { id, status: status.map(|at| StatusMapping { at, active }), password_changed_at, claims }
}

fn claims(object: &mut Object, source: AnswerPart) -> Vec<(String, String)> {
    RESERVED.iter().for_each(|name| object.refuse(name, "a claim that only the endpoint sets"));
    object.each_left(|name, node| Some((name.to_owned(), place(node, source)?)))
}

/// The place of a field: in a body a pointer to something in it, in headers a name in lower case.
fn place(node: Node, source: AnswerPart) -> Option<String> {
    match source {
        AnswerPart::Headers => node.read().map(|HeaderName(name)| name),
        AnswerPart::Body | AnswerPart::Nothing => node.read().map(|FieldPointer(at)| at),
    }
}

/// A value of `active`; headers are always texts.
fn scalar(node: Node, source: AnswerPart) -> Option<Value> {
    let Scalar(value) = node.read()?;
    if source == AnswerPart::Headers && !value.is_string() {
        node.problem("expected a text, as a header is one");
    }
    Some(value)
}

fn statuses<F>(
    object: &mut Object,
    field: Field<Option<Vec<F>>>,
    default: &[u16],
    may_be: fn(u64) -> bool,
) -> Vec<u16> {
    let given = object.with(field, |node| node.each(|node| status(node, may_be)));
    given.unwrap_or_else(|| default.to_vec())
}

fn status(node: Node, may_be: fn(u64) -> bool) -> Option<u16> {
    let Count(status) = node.read()?;
    if !may_be(status) {
        node.problem("a status that can't mean this");
    }
    u16::try_from(status).ok()
}

fn cache(object: &mut Object) -> CacheLimits {
    let max_entries = within(object, CacheFields::max_entries).and_then(|entries| usize::try_from(entries).ok());
    CacheLimits {
        max_entries: max_entries.unwrap_or(DEFAULT_CACHE.max_entries),
        max_age: whole_seconds(object, CacheFields::max_age).unwrap_or(DEFAULT_CACHE.max_age),
    }
}

/// The name of a header, in lower case.
struct HeaderName(String);

impl Setting for HeaderName {
    const EXPECTED: &'static str = "the name of a header";
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?.to_ascii_lowercase();
        upstream::is_token(&name).then_some(Self(name)).ok_or_else(|| D::Error::custom("not a name"))
    }
}
