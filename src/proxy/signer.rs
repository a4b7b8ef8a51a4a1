//! Signatures by the host where it makes them: BoringSSL signs with RSA ten times faster than WebAssembly can.

use crate::{
    crypto::jws::SigningKey,
    endpoint::{Answer, SigningJob},
    proxy::host,
};

/// Signs, by the host or by itself.
pub struct Signer {
    by_host: bool,
}

impl Signer {
    /// Finds out whether the host signs, and signs the same bytes, with the first RSA key that there is: a host that does
    /// so does it with every key that it takes, and one that it doesn't take signs here. A signature of our own takes
    /// 15 ms, so not every key is tried.
    pub fn probe<'a>(mut keys: impl Iterator<Item = &'a SigningKey>) -> Self {
        Self { by_host: keys.find(|key| key.rsa_der().is_some()).is_some_and(is_signed_by_host) }
    }

    /// Whether the host signs.
    pub fn is_host(&self) -> bool {
        self.by_host
    }

    /// Makes a signature.
    pub fn sign(&self, job: &SigningJob) -> Answer {
        let input = job.input.as_bytes();
        let by_host = job.key.rsa_der().filter(|_| self.by_host).and_then(|der| sign_by_host(der, input));
        match by_host.or_else(|| job.key.sign(input)) {
            Some(signature) => Answer::Signed(signature),
            None => Answer::Unavailable { retry_after: 1 },
        }
    }
}

fn is_signed_by_host(key: &SigningKey) -> bool {
    let input = b"token-endpoint";
    let by_host = key.rsa_der().and_then(|der| sign_by_host(der, input));
    by_host.is_some() && by_host == key.sign(input)
}

/// Envoy's foreign function `sign`: `SignArguments` goes in, `SignResult` comes out. None where there is none.
fn sign_by_host(private_key_der: &[u8], input: &[u8]) -> Option<Vec<u8>> {
    let mut arguments = zeroize::Zeroizing::new(Vec::with_capacity(private_key_der.len() + input.len() + 32));
    for (field, value) in [(1, &b"sha256"[..]), (2, private_key_der), (3, input)] {
        append_bytes(&mut arguments, field, value);
    }
    let answer = host::call_function("sign", &arguments).ok()?;
    signature(&answer)
}

/// A length-delimited field in protobuf's wire format.
fn append_bytes(message: &mut Vec<u8>, field: u8, value: &[u8]) {
    message.push(field << 3 | 2);
    append_varint(message, value.len());
    message.extend_from_slice(value);
}

fn append_varint(message: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        message.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    message.push(number.to_le_bytes()[0]);
}

/// Field 2 of a `SignResult` whose field 1 is true.
fn signature(result: &[u8]) -> Option<Vec<u8>> {
    let rest = result.strip_prefix(&[1 << 3, 1])?;
    let rest = rest.strip_prefix(&[2 << 3 | 2])?;
    let (length, signature) = varint(rest)?;
    signature.get(..length).map(<[u8]>::to_vec)
}

fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(4) {
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}
