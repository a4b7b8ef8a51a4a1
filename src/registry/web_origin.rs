//! Origins of web pages (RFC 6454), which are not those of callers: a caller's is its address.

/// The origin of a page to the letter, as browsers send it: `https://app.example.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WebOrigin(String);

impl WebOrigin {
    /// Takes a text that was found to be the serialization of an origin.
    pub(crate) fn new(serialized: String) -> Self {
        Self(serialized)
    }

    /// The origin as browsers send it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
