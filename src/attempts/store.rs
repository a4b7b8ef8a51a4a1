//! What the tables are kept in: buckets by their places, as bytes.

/// Where a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BucketKey {
    /// Of the failures.
    Attempts(u8),
    /// Of the guesses that are under way.
    Flights(u8),
    /// Of the friends.
    Friends(u16),
}

/// The bytes are not a bucket's.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidBucket;

/// Keeps buckets. One that is not there is empty.
pub trait Store {
    /// Why it can't be asked.
    type Error: From<InvalidBucket>;

    /// A bucket as it is now.
    ///
    /// # Errors
    /// It can't be asked.
    fn read(&self, place: BucketKey) -> Result<Vec<u8>, Self::Error>;

    /// Changes a bucket, so that nobody else's change is lost: `change` may be called again where another was quicker. It says
    /// what the bucket becomes, or None where that stays as it is.
    ///
    /// # Errors
    /// It can't be asked.
    fn update<T>(
        &self,
        place: BucketKey,
        change: impl Fn(&[u8]) -> Result<(Option<Vec<u8>>, T), InvalidBucket>,
    ) -> Result<T, Self::Error>;
}

/// A bucket of one of the tables.
pub(super) trait TableBucket: Clone + Default + PartialEq {
    /// The bucket that these bytes were made from. None at all are an empty one.
    fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidBucket>;

    /// The bucket as bytes.
    fn to_bytes(&self) -> Vec<u8>;
}

/// A bucket as it is now.
pub(super) fn look<R: TableBucket, S: Store>(store: &S, place: BucketKey) -> Result<R, S::Error> {
    Ok(R::from_bytes(&store.read(place)?)?)
}

/// Changes a bucket.
pub(super) fn change<R: TableBucket, S: Store, T>(
    store: &S,
    place: BucketKey,
    change: impl Fn(&mut R) -> T,
) -> Result<T, S::Error> {
    store.update(place, |bytes| {
        let before = R::from_bytes(bytes)?;
        let mut after = before.clone();
        let result = change(&mut after);
        Ok(((after != before).then(|| after.to_bytes()), result))
    })
}
