//! What the work of a check comes to.

/// A digest as computed, wiped on drop.
pub(super) type Digest = zeroize::Zeroizing<Vec<u8>>;
