//! A table in memory: for buckets that were read from elsewhere, and for tests.

use std::{cell::RefCell, collections::BTreeMap, convert::Infallible};

use super::{bucket::Bucket, policy::Store};

/// Buckets by their numbers; one that is not there is empty.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(RefCell<BTreeMap<u8, Bucket>>);

impl MemoryStore {
    /// With these buckets in it.
    pub fn new(buckets: BTreeMap<u8, Bucket>) -> Self {
        Self(RefCell::new(buckets))
    }

    /// The buckets as they are now.
    pub fn into_buckets(self) -> BTreeMap<u8, Bucket> {
        self.0.into_inner()
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    fn read(&self, bucket: u8) -> Result<Bucket, Infallible> {
        Ok(self.0.borrow().get(&bucket).cloned().unwrap_or_default())
    }

    fn update<T>(&self, bucket: u8, change: impl Fn(&mut Bucket) -> T) -> Result<T, Infallible> {
        Ok(change(self.0.borrow_mut().entry(bucket).or_default()))
    }
}
