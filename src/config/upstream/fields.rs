//! The fields that say where a service outside is, how it is called, and what that may cost.

use std::time::Duration;

use crate::{
    config::{
        keys::{EnvFields, SecretForm},
        setting::{Span, Text},
        shape::{Seconds, Within, either, object},
    },
    outbound::CallLimits,
};

/// What is sent where nothing else is said.
pub(crate) const DEFAULT_BODY: &str = r#"{"username":{identifier},"password":{password}}"#;
/// What a call may cost where nothing is said.
pub(crate) const DEFAULT_LIMITS: CallLimits = CallLimits {
    timeout: Duration::from_secs(2),
    max_response_bytes: 64 * 1024,
    max_concurrent: 64,
    circuit_failures: 5,
    circuit_open: Duration::from_secs(10),
};

object! {
    /// Where a service is.
    pub(crate) struct UpstreamFields {
        /// The Envoy cluster to ask. Endpoints, load balancing and TLS are set there.
        cluster: Text,
        /// `Host` of the request. Without it: the cluster's name, if that can be a host.
        #[schemars(regex(pattern = r"^[A-Za-z0-9._~:\[\]-]+$"))]
        authority: Option<Text>,
        /// The proxy's own credentials, sent as `Authorization`: one of the two.
        authorization: Option<AuthorizationFields>,
    }
}

object! {
    /// A request, but for its method and its body.
    pub(crate) struct RequestFields {
        /// The path and query. They may have `{identifier}`, `{kind}` and `{auth_source_id}`, percent-encoded (in a `snapshot`,
        /// `{auth_source_id}` alone): what a caller types stays data.
        #[schemars(regex(pattern = "^/"))]
        path: Text,
        /// Further headers. A value may have what `path` may have, or be `{env: NAME}`. Not those that frame a message, are made
        /// from other settings, or ask for a part or under a condition (`range`, `if-…`).
        headers: Option<HeadersForm>,
        ..upstream: UpstreamFields,
    }
}

object! {
    /// What a call may cost.
    pub(crate) struct CallFields {
        /// How long all may take, a second try included: `0.001s` to `60s`.
        timeout: Option<Span>,
        /// The most calls at one time, in one worker.
        max_concurrent: Option<Within<1, 10_000>>,
        /// When a service that fails is left alone.
        circuit: Option<CircuitFields>,
    }
}

object! {
    /// What a call with an answer of unknown length may cost.
    pub(crate) struct AnswerFields {
        /// The longest answer that is read, in bytes.
        max_response_bytes: Option<Within<1, { 16 * 1024 * 1024 }>> = DEFAULT_LIMITS.max_response_bytes,
        ..call: CallFields,
    }
}

object! {
    /// When a service that fails is left alone.
    pub(crate) struct CircuitFields {
        /// After how many failures in a row.
        failures: Option<Within<1, 1000>> = DEFAULT_LIMITS.circuit_failures,
        /// For how long, until one call tries it again.
        open: Option<Seconds<3600>> = Span(DEFAULT_LIMITS.circuit_open),
    }
}

object! {
    /// Credentials: one of the two.
    #[schemars(extend("oneOf" = [
        {"type": "object", "properties": {"bearer": {"not": {"type": "null"}}}, "required": ["bearer"]},
        {"type": "object", "properties": {"basic": {"not": {"type": "null"}}}, "required": ["basic"]},
    ]))]
    pub(crate) struct AuthorizationFields {
        /// A bearer token (RFC 6750 §2.1): ASCII without spaces.
        bearer: Option<SecretForm>,
        /// HTTP Basic (RFC 7617).
        basic: Option<BasicFields>,
    }
}

object! {
    /// HTTP Basic (RFC 7617).
    pub(crate) struct BasicFields {
        /// The user name, without a colon.
        username: Text,
        /// The password.
        password: SecretForm,
    }
}

either! {
    /// The value of a header.
    pub(crate) enum HeaderForm: Text, EnvFields;
}

/// Headers by their names.
pub(crate) type HeadersForm = std::collections::BTreeMap<String, Option<HeaderForm>>;

/// Writes the defaults of [`CallFields`], which differ by who is called.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn by_default(limits: &CallLimits) -> impl FnMut(&mut schemars::Schema) + use<> {
    crate::config::schema_defaults::defaults([
        (CallFields::timeout.name, Span(limits.timeout).to_string().into()),
        (CallFields::max_concurrent.name, limits.max_concurrent.into()),
    ])
}
