//! What readers of sections have to know besides their section.

/// What the document's `{"env": "NAME"}` is looked up in.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What an operator allows by name, against the defaults.
#[derive(Clone, Copy)]
pub(super) struct Allowances {
    /// `http` where `https` is expected.
    pub(crate) http_issuer: bool,
    /// Password hashes below OWASP's minimum.
    pub(crate) weak_hashes: bool,
}
