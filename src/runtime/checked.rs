//! What a password check comes to, wherever it runs.

/// A check that is over.
pub(super) struct Checked<W> {
    /// Who waits for it.
    pub(crate) waiter: W,
    /// Whether the password matches. None if there was no memory to find out.
    pub(crate) matches: Option<bool>,
}
