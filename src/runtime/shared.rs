//! Changes of values that all workers share.

use super::host::{Change, Host, HostError, SharedValue};

/// How often an update that another worker got in the way of is tried again.
const TRIES: u32 = 32;

/// Changes a value, so that no worker's change is lost. `change` says what the value becomes, or None where it stays as it is.
pub(super) fn update<T>(
    key: &str,
    host: &impl Host,
    change: impl Fn(&[u8]) -> Result<(Option<Vec<u8>>, T), HostError>,
) -> Result<T, HostError> {
    let mut result = None;
    host.update_shared_value(key, &mut |bytes| {
        let (after, told) = change(bytes)?;
        result = Some(told);
        Ok(after)
    })?;
    result.ok_or(HostError::InternalFailure)
}

/// Changes a value by compare-and-swap.
pub(super) fn update_by_cas<H: Host + ?Sized>(key: &str, host: &H, change: &mut Change) -> Result<(), HostError> {
    for _ in 0..TRIES {
        let SharedValue { bytes, version } = host.shared_value(key)?;
        let Some(after) = change(&bytes)? else { return Ok(()) };
        // Without a version it would be written whatever another worker has written meanwhile.
        let version = Some(version.ok_or(HostError::NotFound)?);
        match host.set_shared_value(key, &after, version) {
            Err(HostError::CasMismatch) => {}
            outcome => return outcome,
        }
    }
    Err(HostError::CasMismatch)
}
