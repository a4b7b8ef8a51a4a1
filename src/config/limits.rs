//! How much of everything is enough: sizes, shares of a worker's time, and failures.

use std::time::Duration;

use serde::Deserialize;

use super::{
    bounds::{LONGEST, whole_seconds_or, within},
    document::Object,
    setting::{Setting, Span, Text},
    shape::{Field, Seconds, Within, object},
};
use crate::{
    attempts::{Limit, Limits},
    schedule::{Schedule, ThreadSettings},
};

object! {
    /// How large things may be.
    pub(crate) struct SizeFields {
        /// The longest body of a request, in bytes. A longer one is answered 413.
        max_request_bytes: Option<Within<1024, { 1024 * 1024 }>> = DEFAULT_MAX_REQUEST_BYTES,
    }
}

object! {
    /// How a worker shares its time between password checks and its other connections.
    pub(crate) struct PasswordCheckFields {
        /// How long a worker works on passwords before it looks at its other connections, in milliseconds.
        slice_ms: Option<Within<1, 100>> = Schedule::default().slice.as_millis() as u64,
        /// The longest predicted wait of a login. Past it, the answer is 503 with `Retry-After` at once.
        max_wait: Option<Span> = Span(Schedule::default().max_wait),
        /// A cluster whose answer starts the next slice: an internal listener of the same Envoy that answers 204, as in the demo.
        /// Without it a timer starts the slices, and logins take about four times as long.
        pacing_cluster: Option<Text>,
        /// The threads that check passwords, in the dynamic module. In WebAssembly there are none.
        threads: Option<ThreadFields>,
    }
}

object! {
    /// The threads of the process that check passwords: one pool for all listeners.
    pub(crate) struct ThreadFields {
        /// How many. As many as Envoy has workers, if it isn't said.
        count: Option<Within<1, 256>>,
        /// How far all else on the machine goes before them, as `nice` has it. At 19 nobody notices a login; at 0 logins take their
        /// part of a core that is full.
        niceness: Option<Within<0, 19>> = ThreadSettings::default().niceness,
        /// Where the core is full and they get too little, one thread without niceness takes this share of a core, in percent.
        floor_percent: Option<Within<1, 100>> = ThreadSettings::default().floor_percent,
    }
}

object! {
    /// How often a guess may fail, before its hash is checked. Unknown users count like known ones, and spellings of a name as
    /// one. A guess counts from when it begins, and no more once it was right.
    pub(crate) struct AttemptLimitFields {
        /// Failures of an identifier at an auth source, by strangers: by all who are no friends.
        #[schemars(transform = by_default(Limits::default().identifier))]
        identifier: Option<LimitFields>,
        /// Failures of a user under all spellings that the directory takes for one, friends' included. Past it, strangers are told
        /// that the password is wrong even if it is right.
        #[schemars(transform = by_default(Limits::default().user))]
        user: Option<LimitFields>,
        /// Failures of a friend: of a user, from a place where the user's password was right a while ago. Nothing else holds him.
        #[schemars(transform = by_default(Limits::default().friend))]
        friend: Option<LimitFields>,
        /// For how many days a friend is remembered after a login.
        friend_days: Option<Within<1, 365>> = Limits::default().friend_days,
        /// Failures from an address (of IPv6: from a /64, from a /56 four times and from a /48 sixteen times as many), which is
        /// what Envoy takes for the caller's: behind a load balancer, tell it how many proxies to trust
        /// (`xff_num_trusted_hops`). A client that proves itself by a secret is no address: it may tell its user's
        /// (`user_address`).
        #[schemars(transform = by_default(Limits::default().address))]
        address: Option<LimitFields>,
        /// Failures of all users of a client. Past it nobody is refused: strangers go behind friends.
        #[schemars(transform = by_default(Limits::default().client))]
        client: Option<LimitFields>,
        /// Where failures are counted. With `etcd`, `state.etcd` must be there, and all proxies need the same `identity_key`,
        /// or the same first signing key.
        store: Option<AttemptStore> = AttemptStore::default(),
    }
}

object! {
    /// How many failures are free, and what follows.
    pub(crate) struct LimitFields {
        /// How many failures are free.
        failures: Option<Within<1, 1_000_000>>,
        /// How long the last of them makes the next attempt wait. Every further one doubles it. Not longer than `max_wait`.
        wait: Option<Seconds<LONGEST>>,
        /// The longest wait. Not longer than `forget`.
        max_wait: Option<Seconds<LONGEST>>,
        /// In what time the free failures leak away.
        forget: Option<Seconds<LONGEST>>,
    }
}

const DEFAULT_MAX_REQUEST_BYTES: usize = 16 * 1024;

/// Reads `limits`.
pub(super) fn max_request_bytes(object: &mut Object, field: Field<Option<SizeFields>>) -> usize {
    let bytes = object.nested(field, |limits| within(limits, SizeFields::max_request_bytes));
    let bytes = bytes.flatten().and_then(|bytes| usize::try_from(bytes).ok());
    bytes.unwrap_or(DEFAULT_MAX_REQUEST_BYTES)
}

/// Reads `password_checks`.
pub(super) fn schedule(object: &mut Object) -> Schedule {
    let default = Schedule::default();
    Schedule {
        slice: within(object, PasswordCheckFields::slice_ms).map_or(default.slice, Duration::from_millis),
        max_wait: object.optional(PasswordCheckFields::max_wait).map_or(default.max_wait, |Span(wait)| wait),
        pacing_cluster: object.optional(PasswordCheckFields::pacing_cluster).map(|Text(cluster)| cluster),
        threads: object.nested(PasswordCheckFields::threads, threads).unwrap_or_default(),
    }
}

fn threads(object: &mut Object) -> ThreadSettings {
    let default = ThreadSettings::default();
    let small = |number: Option<u64>| number.and_then(|number| u8::try_from(number).ok());
    ThreadSettings {
        count: within(object, ThreadFields::count).and_then(|count| usize::try_from(count).ok()),
        niceness: small(within(object, ThreadFields::niceness)).unwrap_or(default.niceness),
        floor_percent: small(within(object, ThreadFields::floor_percent)).unwrap_or(default.floor_percent),
    }
}

/// Where attempts are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub(super) enum AttemptStore {
    /// In each process.
    #[default]
    Local,
    /// In etcd, for all proxies together.
    Etcd,
}

impl Setting for AttemptStore {
    const EXPECTED: &'static str = "local or etcd";
}

/// Reads `attempt_limits`.
pub(super) fn attempts(object: &mut Object) -> (Limits, AttemptStore) {
    let store = object.optional(AttemptLimitFields::store).unwrap_or_default();
    (of_attempts(object), store)
}

fn of_attempts(object: &mut Object) -> Limits {
    let default = Limits::default();
    let days = within(object, AttemptLimitFields::friend_days).and_then(|days| u32::try_from(days).ok());
    let mut read = |field, default| object.nested(field, |object| limit(object, default)).unwrap_or(default);
    Limits {
        identifier: read(AttemptLimitFields::identifier, default.identifier),
        user: read(AttemptLimitFields::user, default.user),
        friend: read(AttemptLimitFields::friend, default.friend),
        address: read(AttemptLimitFields::address, default.address),
        client: read(AttemptLimitFields::client, default.client),
        friend_days: days.unwrap_or(default.friend_days),
    }
}

fn limit(object: &mut Object, default: Limit) -> Limit {
    let failures = within(object, LimitFields::failures).and_then(|failures| u32::try_from(failures).ok());
    let mut span = |field, default| whole_seconds_or(object, field, default);
    let limit = Limit {
        failures: failures.unwrap_or(default.failures),
        wait: span(LimitFields::wait, default.wait),
        max_wait: span(LimitFields::max_wait, default.max_wait),
        forget: span(LimitFields::forget, default.forget),
    };
    if limit.wait > limit.max_wait {
        object.problem(LimitFields::wait.name, "longer than max_wait");
    }
    if limit.max_wait > limit.forget {
        object.problem(LimitFields::max_wait.name, "longer than forget");
    }
    limit
}

#[cfg(not(target_family = "wasm"))]
fn by_default(limit: Limit) -> impl FnMut(&mut schemars::Schema) {
    super::schema_defaults::defaults([
        (LimitFields::failures.name, limit.failures.into()),
        (LimitFields::wait.name, Span(limit.wait).to_string().into()),
        (LimitFields::max_wait.name, Span(limit.max_wait).to_string().into()),
        (LimitFields::forget.name, Span(limit.forget).to_string().into()),
    ])
}
