//! The answer to a callout while the host has it at hand.

use super::host::Host;
use crate::outbound::{CalloutAnswer, Fault};

/// Its status; zero if there is none.
pub(super) fn status(host: &impl Host) -> u16 {
    header(host, ":status").and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// One of its headers.
pub(super) fn header(host: &impl Host, name: &str) -> Option<String> {
    let (_, value) = host.answer_headers().into_iter().find(|(header, _)| header == name)?;
    String::from_utf8(value).ok()
}

/// All of it, if its body, which has this size, is no longer than `limit`.
pub(super) fn whole(host: &impl Host, body_size: usize, limit: usize) -> Result<CalloutAnswer, Fault> {
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let headers = host.answer_headers().into_iter().map(|(name, value)| (name, text(value)));
    let headers: Vec<(String, String)> = headers.collect();
    let status = headers.iter().find(|(name, _)| name == ":status").and_then(|(_, status)| status.parse().ok());
    let status = status.ok_or(Fault::NoAnswer)?;
    if body_size > limit {
        return Err(Fault::TooLarge(limit));
    }
    Ok(CalloutAnswer { status, headers, body: host.answer_body(0, body_size) })
}
