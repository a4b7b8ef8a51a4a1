//! Signatures by the host where it makes and checks them: BoringSSL is ten and fifty times faster than WebAssembly can be.

use std::{collections::HashMap, sync::Arc};

use super::host::Host;
use crate::{crypto::jws::SigningKey, endpoint::SigningJob, token::presented::SignatureCheck};

/// Signs, by the host or by itself.
pub(super) struct Signer {
    by_host: bool,
}

/// Checks signatures, where the host does.
pub(super) struct Verifier {
    /// The public keys that the host takes, by their `kid`.
    keys: HashMap<String, Vec<u8>>,
}

impl Signer {
    /// Finds out whether the host signs, and signs the same bytes, with the first RSA key that there is: a host that does
    /// so does it with every key that it takes, and one that it doesn't take signs here. A signature of our own takes
    /// 15 ms, so not every key is tried.
    pub(super) fn probe<'a>(mut keys: impl Iterator<Item = &'a Arc<SigningKey>>, host: &impl Host) -> Self {
        let first = keys.find(|key| key.rsa_der().is_some());
        Self { by_host: first.is_some_and(|key| is_signed_by_host(key, host)) }
    }

    /// Whether the host signs.
    pub(super) fn is_host(&self) -> bool {
        self.by_host
    }

    /// Makes a signature. None if it can't be made.
    pub(super) fn sign(&self, job: &SigningJob, host: &impl Host) -> Option<Vec<u8>> {
        let input = job.input.as_bytes();
        let by_host = job.key.rsa_der().filter(|_| self.by_host).and_then(|der| host.sign(der, input));
        by_host.or_else(|| job.key.sign(input))
    }
}

impl Verifier {
    /// Finds out which of these keys the host takes, and says the truth by.
    pub(super) fn probe<'a>(keys: impl Iterator<Item = &'a Arc<SigningKey>>, host: &impl Host) -> Self {
        let known = |key: &Arc<SigningKey>| Some((key.kid().to_owned(), is_checked_by_host(key, host)?));
        Self { keys: keys.filter_map(known).collect() }
    }

    /// How many keys the host takes.
    pub(super) fn keys(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Whether a signature is good. None where that is not for the host to say.
    pub(super) fn verify(&self, check: &SignatureCheck, host: &impl Host) -> Option<bool> {
        let spki = self.keys.get(check.key.kid())?;
        let Some(signature) = check.key.x509_signature(&check.signature) else { return Some(false) };
        host.verify(spki, check.input.as_bytes(), &signature)
    }
}

/// The public key, if the host tells a good signature from one that is not.
fn is_checked_by_host(key: &SigningKey, host: &impl Host) -> Option<Vec<u8>> {
    let (input, other) = (b"token-endpoint", b"token-endpoint!");
    let spki = key.spki()?;
    host.verify(&spki, input, input)?;
    let signature = key.rsa_der().and_then(|der| host.sign(der, input)).or_else(|| key.sign(input))?;
    let signature = key.x509_signature(&signature)?;
    let says = |input: &[u8]| host.verify(&spki, input, &signature);
    (says(input) == Some(true) && says(other) == Some(false)).then_some(spki)
}

fn is_signed_by_host(key: &SigningKey, host: &impl Host) -> bool {
    let input = b"token-endpoint";
    let by_host = key.rsa_der().and_then(|der| host.sign(der, input));
    by_host.is_some() && by_host == key.sign(input)
}
