//! `snapshot`: the whole directory as one document, fetched again from time to time.

/// A document of users.
#[derive(Debug)]
pub struct Snapshot {}
