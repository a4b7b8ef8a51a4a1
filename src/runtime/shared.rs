//! Changes of values that all workers share.

use super::host::{Host, HostError, SharedValue};

/// How often an update that another worker got in the way of is tried again.
const TRIES: u32 = 32;

/// Changes a value by compare-and-swap, so that no worker's change is lost. `change` says what the value becomes, or None
/// where it stays as it is.
pub(super) fn update<T>(
    key: &str,
    host: &impl Host,
    change: impl Fn(&[u8]) -> Result<(Option<Vec<u8>>, T), HostError>,
) -> Result<T, HostError> {
    for _ in 0..TRIES {
        let SharedValue { bytes, version } = host.shared_value(key)?;
        let (after, result) = change(&bytes)?;
        let Some(after) = after else { return Ok(result) };
        // Without a version it would be written whatever another worker has written meanwhile.
        let version = Some(version.ok_or(HostError::NotFound)?);
        match host.set_shared_value(key, &after, version) {
            Err(HostError::CasMismatch) => {}
            outcome => return outcome.map(|()| result),
        }
    }
    Err(HostError::CasMismatch)
}
