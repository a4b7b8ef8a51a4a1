//! What a command prints.

use zeroize::Zeroizing;

/// What a command prints; wiped, since it may be a key.
pub(super) type Output = Zeroizing<String>;
