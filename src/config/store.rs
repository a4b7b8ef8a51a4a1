//! Where it is remembered which refresh tokens were used, and what happens while that can't be asked.

use std::{sync::Arc, time::Duration};

use super::{
    bounds::{LONGEST, whole_seconds_or},
    context::Environment,
    document::Object,
    setting::{Span, Text},
    shape::{Seconds, object},
    upstream::{
        self,
        fields::{CallFields, DEFAULT_LIMITS, UpstreamFields},
    },
};
use crate::{
    endpoint::{OnStoreFailure, Rotation},
    outbound::CallLimits,
    state::{OnGraceFromElsewhere, etcd::Etcd},
};

object! {
    /// What is remembered of tokens, and where: in Envoy itself or, for a fleet, in an etcd.
    pub(crate) struct StateFields {
        /// How long a used refresh token may come again: answers get lost, and two tabs may refresh at once (RFC 9700 §4.14.2).
        /// After that it ends its family. Longer than `etcd.timeout`.
        retry_grace: Option<Seconds<LONGEST>> = Span(Rotation::default().retry_grace),
        /// What happens when, of two generations in a row, each came again within the grace from another address than the one
        /// that it was used from first: a thief may refresh right after the victim each time. Envoy must know the callers'
        /// addresses; of a `web` client counts what it tells as `user_address`.
        on_grace_from_elsewhere: Option<OnGraceFromElsewhere> = OnGraceFromElsewhere::default(),
        /// What happens while etcd can't be asked.
        on_store_failure: Option<OnStoreFailure> = OnStoreFailure::default(),
        /// The etcd that all proxies of a fleet share. Without it, each Envoy process remembers for itself.
        etcd: Option<EtcdFields>,
    }
}

object! {
    /// An etcd (v3), by its HTTP/JSON gateway.
    #[schemars(transform = upstream::fields::by_default(&ETCD_LIMITS))]
    pub(crate) struct EtcdFields {
        /// What the paths of its gateway begin with.
        #[schemars(regex(pattern = "^/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$"))]
        path_prefix: Option<Text> = DEFAULT_PATH_PREFIX,
        /// What all keys begin with. Fleets that share an etcd need different ones.
        key_prefix: Option<Text> = DEFAULT_KEY_PREFIX,
        ..upstream: UpstreamFields,
        ..call: CallFields,
    }
}

const DEFAULT_PATH_PREFIX: &str = "/v3";
const DEFAULT_KEY_PREFIX: &str = "token-endpoint/";

/// What `state` says.
#[derive(Default)]
pub(super) struct StateSettings {
    pub(crate) rotation: Rotation,
    /// None: each process remembers for itself.
    pub(crate) etcd: Option<Arc<Etcd>>,
}

/// A refresh has to wait for it, and a bucket of attempts is the longest value.
const ETCD_LIMITS: CallLimits = CallLimits { timeout: Duration::from_secs(1), max_concurrent: 1000, ..DEFAULT_LIMITS };

/// Reads `state`.
pub(super) fn read(object: &mut Object, environment: Environment) -> StateSettings {
    let default = Rotation::default();
    let rotation = Rotation {
        retry_grace: whole_seconds_or(object, StateFields::retry_grace, default.retry_grace),
        on_store_failure: object.optional(StateFields::on_store_failure).unwrap_or_default(),
        on_grace_from_elsewhere: object.optional(StateFields::on_grace_from_elsewhere).unwrap_or_default(),
    };
    let etcd = object.nested(StateFields::etcd, |object| etcd(object, environment)).flatten().map(Arc::new);
    if etcd.as_ref().is_some_and(|etcd| etcd.limits.timeout >= rotation.retry_grace) {
        object.problem(
            "retry_grace",
            "not longer than etcd.timeout: a claim that is sent again would be taken for theft",
        );
    }
    StateSettings { rotation, etcd }
}

fn etcd(object: &mut Object, environment: Environment) -> Option<Etcd> {
    let cluster = object.required(UpstreamFields::cluster).map(|Text(cluster)| cluster);
    let authority = upstream::authority(object, cluster.as_deref());
    let path_prefix = path_prefix(object);
    let key_prefix = object.optional(EtcdFields::key_prefix).map(|Text(prefix)| prefix);
    let authorization = upstream::authorization(object, environment);
    let limits = upstream::limits_or(object, ETCD_LIMITS);
    Some(Etcd {
        cluster: cluster?,
        authority: authority?,
        path_prefix,
        authorization,
        key_prefix: key_prefix.unwrap_or_else(|| DEFAULT_KEY_PREFIX.to_owned()),
        limits,
    })
}

fn path_prefix(object: &mut Object) -> String {
    let Some(Text(prefix)) = object.optional(EtcdFields::path_prefix) else { return DEFAULT_PATH_PREFIX.to_owned() };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    if !prefix.starts_with('/') || prefix.ends_with('/') || !prefix.bytes().all(is_plain) {
        object.problem(EtcdFields::path_prefix.name, "expected a path such as \"/v3\", with no slash at its end");
    }
    prefix
}
