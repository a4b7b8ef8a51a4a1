//! Envoy's foreign functions `sign` and `verify_signature`: BoringSSL is ten and fifty times faster than WebAssembly can be.

use proxy_wasm::hostcalls;
use zeroize::Zeroizing;

use crate::varint;

const HASH: &[u8] = b"sha256";

/// `SignArguments` goes in, `SignResult` comes out. None where there is none.
pub(super) fn sign(private_key_der: &[u8], input: &[u8]) -> Option<Vec<u8>> {
    signature(&call("sign", &[HASH, private_key_der, input])?)
}

/// `VerifySignatureArguments` goes in, `VerifySignatureResult` comes out. None where there is none.
pub(super) fn verify(public_key_der: &[u8], input: &[u8], signature: &[u8]) -> Option<bool> {
    call("verify_signature", &[HASH, public_key_der, signature, input]).map(|result| result.starts_with(IS_TRUE))
}

fn call(function: &str, fields: &[&[u8]]) -> Option<Vec<u8>> {
    let size: usize = fields.iter().map(|field| field.len() + 12).sum();
    let mut arguments = Zeroizing::new(Vec::with_capacity(size));
    for (field, value) in (1..).zip(fields) {
        append_bytes(&mut arguments, field, value);
    }
    hostcalls::call_foreign_function(function, Some(&arguments)).ok()?
}

/// A length-delimited field in protobuf's wire format.
fn append_bytes(message: &mut Vec<u8>, field: u8, value: &[u8]) {
    message.push(field << 3 | 2);
    varint::append(message, value.len() as u64);
    message.extend_from_slice(value);
}

/// Field 1 of a result that is true.
const IS_TRUE: &[u8] = &[1 << 3, 1];

/// Field 2 of a `SignResult` whose field 1 is true.
fn signature(result: &[u8]) -> Option<Vec<u8>> {
    let rest = result.strip_prefix(IS_TRUE)?.strip_prefix(&[2 << 3 | 2])?;
    let mut signature = rest;
    let length = usize::try_from(varint::take(&mut signature)?).ok()?;
    signature.get(..length).map(<[u8]>::to_vec)
}
