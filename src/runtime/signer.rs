//! Signatures by the host where it makes them: BoringSSL signs with RSA ten times faster than WebAssembly can.

use super::host::Host;
use crate::{crypto::jws::SigningKey, endpoint::SigningJob};

/// Signs, by the host or by itself.
pub(super) struct Signer {
    by_host: bool,
}

impl Signer {
    /// Finds out whether the host signs, and signs the same bytes, with the first RSA key that there is: a host that does
    /// so does it with every key that it takes, and one that it doesn't take signs here. A signature of our own takes
    /// 15 ms, so not every key is tried.
    pub(super) fn probe<'a>(mut keys: impl Iterator<Item = &'a SigningKey>, host: &impl Host) -> Self {
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

fn is_signed_by_host(key: &SigningKey, host: &impl Host) -> bool {
    let input = b"token-endpoint";
    let by_host = key.rsa_der().and_then(|der| host.sign(der, input));
    by_host.is_some() && by_host == key.sign(input)
}
