//! Where it is remembered which refresh tokens were used, and what happens while that can't be asked.

use std::{sync::Arc, time::Duration};

use super::{
    Environment,
    document::Object,
    limits::whole_seconds_or,
    setting::Text,
    upstream::{self, DEFAULT_LIMITS},
};
use crate::{endpoint::Rotation, registry::remote::CallLimits, state::etcd::Etcd};

/// What `state` says.
#[derive(Default)]
pub struct State {
    pub rotation: Rotation,
    /// None: each process remembers for itself.
    pub etcd: Option<Arc<Etcd>>,
}

/// A refresh has to wait for it, and a bucket of attempts is the longest value.
const ETCD_LIMITS: CallLimits = CallLimits { timeout: Duration::from_secs(1), max_concurrent: 1000, ..DEFAULT_LIMITS };

/// Reads `state`.
pub fn read(object: &mut Object, environment: Environment) -> State {
    let default = Rotation::default();
    let rotation = Rotation {
        retry_grace: whole_seconds_or(object, "retry_grace", default.retry_grace),
        on_store_failure: object.optional("on_store_failure").unwrap_or_default(),
    };
    let etcd = object.nested("etcd", |object| etcd(object, environment)).flatten().map(Arc::new);
    if etcd.as_ref().is_some_and(|etcd| etcd.limits.timeout >= rotation.retry_grace) {
        object.problem(
            "retry_grace",
            "not longer than etcd.timeout: a claim that is sent again would be taken for theft",
        );
    }
    State { rotation, etcd }
}

fn etcd(object: &mut Object, environment: Environment) -> Option<Etcd> {
    let cluster = object.required("cluster").map(|Text(cluster)| cluster);
    let authority = upstream::authority(object, cluster.as_deref());
    let path_prefix = path_prefix(object);
    let key_prefix = object.optional("key_prefix").map(|Text(prefix)| prefix);
    let authorization = upstream::authorization(object, environment);
    let limits = upstream::limits_or(object, ETCD_LIMITS);
    Some(Etcd {
        cluster: cluster?,
        authority: authority?,
        path_prefix,
        authorization,
        key_prefix: key_prefix.unwrap_or_else(|| "token-endpoint/".to_owned()),
        limits,
    })
}

fn path_prefix(object: &mut Object) -> String {
    let Some(Text(prefix)) = object.optional("path_prefix") else { return "/v3".to_owned() };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    if !prefix.starts_with('/') || prefix.ends_with('/') || !prefix.bytes().all(is_plain) {
        object.problem("path_prefix", "expected a path such as \"/v3\", with no slash at its end");
    }
    prefix
}
