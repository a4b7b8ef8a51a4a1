//! The keys of a configuration: those that sign and those that seal.

use std::collections::HashSet;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    context::Environment,
    document::{Node, Object},
    setting::{Instant, Text},
    shape::{Field, Filled, either, object},
};
use crate::{
    crypto::{
        jws::{Algorithm, SigningKey},
        key_ring::KeyRing,
        key_schedule::{KeySchedule, Period, ScheduleError},
        seal::{SealKey, Sealer},
    },
    registry::auth_source::DirectoryKeys,
    secret::Secret,
    time::UnixTime,
    token::Lifetimes,
};

object! {
    /// A key that signs tokens.
    pub(crate) struct SigningKeyFields {
        /// What it signs with (RFC 7518 §3.1, RFC 8037 §3.1).
        algorithm: Algorithm,
        /// The private key as PEM: PKCS#8, or PKCS#1 for RSA, of 2048 bits at least.
        private_key: SecretForm,
        /// Its name in tokens and among the public keys (RFC 7515 §4.1.4). Without it: the RFC 7638 thumbprint.
        kid: Option<Text>,
        /// When it begins to sign; it is published before. Of several keys whose time it is, the one that began last signs
        /// (without times: the first).
        not_before: Option<Instant>,
        /// When it stops signing; it is published until its last token has expired.
        not_after: Option<Instant>,
    }
}

object! {
    /// A key that seals refresh tokens, and when it begins to.
    pub(crate) struct SealKeyFields {
        /// 32 bytes in base64url.
        key: SecretForm,
        /// When it begins to seal. It opens at any time.
        not_before: Option<Instant>,
    }
}

object! {
    /// A variable in the environment of the VM.
    pub(crate) struct EnvFields {
        /// Its name. `vm_config.environment_variables` gives it to the VM and keeps its value out of the Envoy configuration.
        env: Text,
    }
}

either! {
    /// A secret, written there or in the environment.
    pub(crate) enum SecretForm: Text, EnvFields;
}

either! {
    /// A secret, or one with the time from which on it is used.
    pub(crate) enum SealKeyForm: Text, EnvFields, SealKeyFields;
}

/// What the signing keys of a configuration amount to.
pub(super) struct SigningKeys {
    pub(crate) ring: KeyRing,
    pub(crate) directory_keys: DirectoryKeys,
    pub(crate) attempts_key: [u8; 32],
}

/// Reads `signing_keys`.
pub(super) fn signing_keys(
    object: &mut Object,
    field: Field<Filled<SigningKeyFields>>,
    environment: Environment,
    lifetimes: &Lifetimes,
    identity_key: Option<&str>,
    now: UnixTime,
) -> Option<SigningKeys> {
    let mut kids = HashSet::new();
    let read = object.each_of_some(field, |node| {
        let read = node.object(|object| (signing_key(object, environment), period(object)));
        let (key, period) = read.unwrap_or_default();
        let is_known = key.as_ref().is_some_and(|(key, _)| !kids.insert(key.kid().to_owned()));
        if is_known {
            node.problem("a key with the same kid as another");
        }
        Some((key, period))
    });
    check_periods(object, read.iter().map(|(_, period)| *period).collect(), lifetimes, now);
    let keys = read.into_iter().filter_map(|(key, period)| Some((key?, period?)));
    let (pems, keys): (Vec<_>, Vec<_>) = keys.map(|((key, pem), period)| (pem, (key, period))).unzip();
    let identity = identity_key.or(pems.first().map(|pem| pem.as_str()))?;
    let longest_token = lifetimes.access_token.max(lifetimes.id_token);
    let ring = KeyRing::new(keys, longest_token);
    let directory_keys = DirectoryKeys { decoy: derived("decoy", identity), pseudonym: derived("pseudonym", identity) };
    Some(SigningKeys { ring, directory_keys, attempts_key: derived("attempts", identity) })
}

/// Reads `identity_key`.
pub(super) fn identity_key(
    object: &mut Object,
    field: Field<Option<SecretForm>>,
    environment: Environment,
) -> Option<Zeroizing<String>> {
    let key = object.with(field, |node| {
        let text = secret(node, environment)?;
        if SealKey::parse(&Secret::new(text.as_bytes())).is_err() {
            node.problem("expected 32 bytes in base64url");
        }
        Some(text)
    });
    key.flatten()
}

/// Reads `refresh_token_keys`. None if there are none.
pub(super) fn sealer(
    object: &mut Object,
    field: Field<Option<Filled<SealKeyForm>>>,
    environment: Environment,
    now: UnixTime,
) -> Option<Sealer> {
    let keys = object.with(field, |node| node.each_of_some(|node| seal_key(node, environment)))?;
    let is_too_early = keys.iter().all(|(_, period)| !period.has_begun(now));
    if is_too_early && !keys.is_empty() {
        object.problem(field.name, "no key seals now");
    }
    Some(Sealer::new(keys))
}

fn signing_key(object: &mut Object, environment: Environment) -> Option<(SigningKey, Zeroizing<String>)> {
    let algorithm = object.required(SigningKeyFields::algorithm);
    let kid = object.optional(SigningKeyFields::kid).map(|Text(kid)| kid);
    let pem = object.required_with(SigningKeyFields::private_key, |node| secret(node, environment)).flatten()?;
    match SigningKey::from_pem(algorithm?, &pem, kid) {
        Ok(key) => Some((key, pem)),
        Err(invalid) => {
            object.problem(SigningKeyFields::private_key.name, invalid.to_string());
            None
        }
    }
}

/// When a key is used. None if that can't be read.
fn period(object: &mut Object) -> Option<Period> {
    let mut bound = |field| match object.with(field, |node| node.read()) {
        Some(read) => read.map(|Instant(moment)| Some(moment)),
        None => Some(None),
    };
    let (not_before, not_after) = (bound(SigningKeyFields::not_before), bound(SigningKeyFields::not_after));
    Some(Period { not_before: not_before?, not_after: not_after? })
}

/// Looks for moments without a key, and for keys without a moment, where all periods can be read.
fn check_periods(object: &Object, periods: Vec<Option<Period>>, lifetimes: &Lifetimes, now: UnixTime) {
    let Some(periods) = periods.into_iter().collect::<Option<Vec<_>>>().filter(|periods| !periods.is_empty()) else {
        return;
    };
    let known_to_all = now.after(lifetimes.jwks);
    let too_soon = |period: &Period| !period.has_begun(now) && period.not_before < Some(known_to_all);
    for (at, _) in periods.iter().enumerate().filter(|(_, period)| too_soon(period)) {
        object.warning(&format!("signing_keys[{at}].not_before"), TOO_SOON);
    }
    for flaw in KeySchedule::new(periods).flaws(now) {
        let (place, what) = told(flaw);
        object.problem(&place, what);
    }
}

const TOO_SOON: &str = "less than lifetimes.jwks from now: who has fetched the keys before this configuration was in place \
    does not know this one in time";

fn told(flaw: ScheduleError) -> (String, &'static str) {
    match flaw {
        ScheduleError::Empty(at) => (format!("signing_keys[{at}].not_after"), "not later than not_before"),
        ScheduleError::NobodyNow => ("signing_keys".to_owned(), "no key signs now"),
        ScheduleError::NobodyAfter(at) => (format!("signing_keys[{at}].not_after"), "no key signs from then on"),
        ScheduleError::Never(at) => (format!("signing_keys[{at}]"), "never signs: another key does at all its time"),
    }
}

/// A secret, or `{"key": secret, "not_before": …}` for one that does not seal at once.
fn seal_key(node: Node, environment: Environment) -> Option<(SealKey, Period)> {
    if !node.has(SealKeyFields::key.name) {
        return Some((read_seal_key(node, environment)?, Period::default()));
    }
    node.object(|object| {
        let not_before = object.optional(SealKeyFields::not_before).map(|Instant(moment)| moment);
        let key = object.required_with(SealKeyFields::key, |node| read_seal_key(node, environment)).flatten();
        Some((key?, Period { not_before, not_after: None }))
    })?
}

fn read_seal_key(node: Node, environment: Environment) -> Option<SealKey> {
    let text = secret(node, environment)?;
    let key = SealKey::parse(&Secret::new(text.as_bytes())).ok();
    if key.is_none() {
        node.problem("expected 32 bytes in base64url");
    }
    key
}

/// A secret: written there, or `{"env": "NAME"}` for one that the VM is given in its environment.
pub(super) fn secret(node: Node, environment: Environment) -> Option<Zeroizing<String>> {
    if !node.is_object() {
        return node.read().map(|Text(text)| Zeroizing::new(text));
    }
    let Text(name) = node.object(|object| object.required(EnvFields::env))??;
    let value = environment(&name).filter(|value| !value.is_empty()).map(Zeroizing::new);
    if value.is_none() {
        node.problem("an environment variable that is not given to the VM, or is empty");
    }
    value
}

/// All proxies with the same keys make the same decoys, so that they can't be told from users by asking two of them; they
/// give attempts the same places in a table that they share, and users the same pseudonyms. All come from the identity key, or from
/// the signing key that is listed first: a new one at the end changes nothing. Without the oldest they do change, once: where users'
/// hashes differ in cost, an unknown name may then cost as much as another user than before, which shows to who has measured it
/// before and measures it again; and failures and friends in a shared table are forgotten.
fn derived(purpose: &str, pem: &str) -> [u8; 32] {
    let purpose = format!("token-endpoint {purpose} 1 ");
    Sha256::new().chain_update(purpose).chain_update(pem.trim()).finalize().into()
}
