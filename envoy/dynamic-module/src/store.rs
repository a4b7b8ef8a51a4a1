//! What all configurations and workers of the process share: values in its memory.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use runtime::runtime::{Change, HostError, SharedValue};

/// Values by their names, each with a version.
#[derive(Default)]
pub(crate) struct Store(Mutex<HashMap<String, (Vec<u8>, u32)>>);

/// The process's. It outlives every configuration.
pub(crate) static STORE: LazyLock<Store> = LazyLock::new(Store::default);

impl Store {
    /// A value; an empty one without a version where there is none.
    pub(crate) fn get(&self, key: &str) -> SharedValue {
        let values = self.values();
        let (bytes, version) = values.get(key).map(|(bytes, version)| (bytes.clone(), *version)).unzip();
        SharedValue { bytes: bytes.unwrap_or_default(), version }
    }

    /// Sets a value: if it still has this version, or whatever it is where none is given.
    pub(crate) fn set(&self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), HostError> {
        let mut values = self.values();
        let (bytes, current) = values.entry(key.to_owned()).or_default();
        if version.is_some_and(|version| version != *current) {
            return Err(HostError::CasMismatch);
        }
        (*bytes, *current) = (value.to_vec(), next(*current));
        Ok(())
    }

    /// Changes a value while nobody else can.
    pub(crate) fn update(&self, key: &str, change: &mut Change) -> Result<(), HostError> {
        let mut values = self.values();
        let (bytes, version) = values.get_mut(key).ok_or(HostError::NotFound)?;
        if let Some(after) = change(bytes)? {
            (*bytes, *version) = (after, next(*version));
        }
        Ok(())
    }

    fn values(&self) -> MutexGuard<'_, HashMap<String, (Vec<u8>, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Never zero, which is the version of what is not there yet.
fn next(version: u32) -> u32 {
    version.checked_add(1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_who_read_the_same_version_one_writes() {
        let store = Store::default();
        store.set("a", b"1", None).unwrap();
        let SharedValue { version, .. } = store.get("a");
        assert_eq!(store.set("a", b"2", version), Ok(()));
        assert_eq!(store.set("a", b"3", version), Err(HostError::CasMismatch));
        assert_eq!(store.get("a").bytes, b"2");
    }

    #[test]
    fn what_is_not_there_has_no_version_and_is_not_changed() {
        let store = Store::default();
        assert_eq!(store.get("a"), SharedValue::default());
        assert_eq!(store.update("a", &mut |_| Ok(Some(vec![1]))), Err(HostError::NotFound));
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let store = Store::default();
        store.set("a", b"1", None).unwrap();
        let before = store.get("a");
        assert!(store.update("a", &mut |_| Err(HostError::ParseFailure)).is_err());
        store.update("a", &mut |_| Ok(None)).unwrap();
        assert_eq!(store.get("a"), before);
    }
}
