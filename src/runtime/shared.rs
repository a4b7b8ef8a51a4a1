//! Changes of values that all workers share.

use super::host::{Host, HostError};

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
