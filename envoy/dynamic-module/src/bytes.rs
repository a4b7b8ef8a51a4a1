//! Bytes from Envoy and to it.

use std::slice;

use crate::abi::{EnvoyBuffer, EnvoyHttpHeader, ModuleBuffer, ModuleHttpHeader};

/// Nothing.
pub(crate) const NONE: ModuleBuffer = ModuleBuffer { ptr: std::ptr::null(), length: 0 };

/// For the time of a call.
pub(crate) fn to_envoy(bytes: &[u8]) -> ModuleBuffer {
    ModuleBuffer { ptr: bytes.as_ptr().cast(), length: bytes.len() }
}

/// For the time of a call.
pub(crate) fn header<'a>(name: &'a [u8], value: &'a [u8]) -> ModuleHttpHeader {
    let (name, value) = (to_envoy(name), to_envoy(value));
    ModuleHttpHeader { key_ptr: name.ptr, key_length: name.length, value_ptr: value.ptr, value_length: value.length }
}

/// A copy.
///
/// # Safety
/// It is Envoy's, and what it belongs to is there still.
pub(crate) unsafe fn from_envoy(buffer: EnvoyBuffer) -> Vec<u8> {
    if buffer.ptr.is_null() || buffer.length == 0 {
        return Vec::new();
    }
    // SAFETY: so many bytes are there, as the caller promises.
    unsafe { slice::from_raw_parts(buffer.ptr.cast::<u8>(), buffer.length) }.to_vec()
}

/// Copies of so many pieces, one after the other.
///
/// # Safety
/// They are Envoy's, as many, and what they belong to is there still.
pub(crate) unsafe fn pieces(first: *const EnvoyBuffer, count: usize) -> Vec<u8> {
    if first.is_null() || count == 0 {
        return Vec::new();
    }
    // SAFETY: so many are there, as the caller promises.
    let pieces = unsafe { slice::from_raw_parts(first, count) };
    // SAFETY: each is Envoy's, as the caller promises.
    pieces.iter().flat_map(|piece| unsafe { from_envoy(*piece) }).collect()
}

/// Copies of so many headers, names in lower case as Envoy has them.
///
/// # Safety
/// As [`pieces`].
pub(crate) unsafe fn headers(first: *const EnvoyHttpHeader, count: usize) -> Vec<(String, Vec<u8>)> {
    if first.is_null() || count == 0 {
        return Vec::new();
    }
    // SAFETY: so many are there, as the caller promises.
    let headers = unsafe { slice::from_raw_parts(first, count) };
    let copy = |header: &EnvoyHttpHeader| {
        let name = EnvoyBuffer { ptr: header.key_ptr, length: header.key_length };
        let value = EnvoyBuffer { ptr: header.value_ptr, length: header.value_length };
        // SAFETY: both are Envoy's, as the caller promises.
        let (name, value) = unsafe { (from_envoy(name), from_envoy(value)) };
        (String::from_utf8_lossy(&name).into_owned(), value)
    };
    headers.iter().map(copy).collect()
}
