//! Tables in memory: for buckets that were read from elsewhere, and for tests.

use std::{cell::RefCell, collections::BTreeMap};

use super::store::{BucketKey, InvalidBucket, Store};

/// Buckets by their places.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(RefCell<BTreeMap<BucketKey, Vec<u8>>>);

impl MemoryStore {
    /// With these buckets in it.
    pub(crate) fn new(buckets: BTreeMap<BucketKey, Vec<u8>>) -> Self {
        Self(RefCell::new(buckets))
    }

    /// The buckets as they are now.
    pub(crate) fn into_buckets(self) -> BTreeMap<BucketKey, Vec<u8>> {
        self.0.into_inner()
    }
}

impl Store for MemoryStore {
    type Error = InvalidBucket;

    fn read(&self, place: BucketKey) -> Result<Vec<u8>, InvalidBucket> {
        Ok(self.0.borrow().get(&place).cloned().unwrap_or_default())
    }

    fn update<T>(
        &self,
        place: BucketKey,
        change: impl Fn(&[u8]) -> Result<(Option<Vec<u8>>, T), InvalidBucket>,
    ) -> Result<T, InvalidBucket> {
        let (after, result) = change(&self.read(place)?)?;
        if let Some(after) = after {
            self.0.borrow_mut().insert(place, after);
        }
        Ok(result)
    }
}
