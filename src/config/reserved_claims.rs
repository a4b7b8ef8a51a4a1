//! Claims that no directory may set.

/// Claims that say what a token is and whose: a user's own claims can't replace them.
pub(super) const RESERVED: [&str; 18] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "scope",
    "client_id",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "at_hash",
    "c_hash",
    "cnf",
    "user_ref",
];
