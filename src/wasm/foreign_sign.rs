//! Envoy's foreign function `sign`: BoringSSL signs with RSA ten times faster than WebAssembly can.

use proxy_wasm::hostcalls;

use crate::varint;

/// `SignArguments` goes in, `SignResult` comes out. None where there is none.
pub(super) fn sign(private_key_der: &[u8], input: &[u8]) -> Option<Vec<u8>> {
    let mut arguments = zeroize::Zeroizing::new(Vec::with_capacity(private_key_der.len() + input.len() + 32));
    for (field, value) in [(1, &b"sha256"[..]), (2, private_key_der), (3, input)] {
        append_bytes(&mut arguments, field, value);
    }
    signature(&hostcalls::call_foreign_function("sign", Some(&arguments)).ok()??)
}

/// A length-delimited field in protobuf's wire format.
fn append_bytes(message: &mut Vec<u8>, field: u8, value: &[u8]) {
    message.push(field << 3 | 2);
    varint::append(message, value.len() as u64);
    message.extend_from_slice(value);
}

/// Field 2 of a `SignResult` whose field 1 is true.
fn signature(result: &[u8]) -> Option<Vec<u8>> {
    let rest = result.strip_prefix(&[1 << 3, 1])?;
    let rest = rest.strip_prefix(&[2 << 3 | 2])?;
    let mut signature = rest;
    let length = usize::try_from(varint::take(&mut signature)?).ok()?;
    signature.get(..length).map(<[u8]>::to_vec)
}
