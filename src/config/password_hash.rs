//! A stored password hash, as a setting.

use super::{context::Allowances, document::Node, setting::Text, shape::schema};
use crate::crypto::password::PasswordHash;

/// A password hash as text.
pub(super) enum HashForm {}

schema!(HashForm, {
    "title": "password hash",
    "type": "string",
    "maxLength": PasswordHash::MAX_TEXT,
    "pattern": r"^(\$argon2(id|i|d)|\$2[aby]|\$scrypt|\$pbkdf2-sha(256|512)|pbkdf2_sha256)\$",
});

/// Reads a password hash that is not above the ceilings, and below the floor only where that is allowed.
pub(super) fn password_hash(node: Node, allowances: Allowances) -> Option<PasswordHash> {
    let Text(text) = node.read()?;
    match PasswordHash::parse(&text) {
        Ok(hash) if hash.is_weak() && !allowances.weak_hashes => {
            node.problem("a cost below OWASP's minimum, which only allow_weak_hashes permits");
            None
        }
        Ok(hash) => Some(hash),
        Err(error) => {
            node.problem(error.to_string());
            None
        }
    }
}
