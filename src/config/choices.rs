//! Settings that are one of a few words: what each word means, for who reads the schema, and for who has written another.

use super::{setting::Setting, shape::schema};
use crate::{
    crypto::jws::Algorithm,
    endpoint::OnStoreFailure,
    registry::{
        client::{ClientType, Grant},
        identifier::IdentifierKind,
        remote::{AnswerPart, CredentialsForm, Format, HttpMethod},
        user::Status,
    },
    state::OnGraceFromElsewhere,
    token::Profile,
};

/// The words with commas, and "or" before the last.
macro_rules! listed {
    ($first:literal $last:literal) => { concat!($first, " or ", $last) };
    ($first:literal $($other:literal)+) => { concat!($first, ", ", listed!($($other)+)) };
}

/// Declares what the words of a setting mean.
macro_rules! choices {
    ($($type:ty, $about:literal: { $($word:literal: $meaning:literal,)+ })+) => {$(
        impl Setting for $type {
            const EXPECTED: &'static str = listed!($($word)+);
        }

        schema!($type, {
            "description": $about,
            "oneOf": [$({"const": $word, "description": $meaning, "type": "string"}),+],
        });
    )+};
}

choices! {
    Algorithm, "A JWS `alg` that this program signs with (RFC 7518 §3.1, RFC 8037 §3.1).": {
        "RS256": "RSASSA-PKCS1-v1_5 with SHA-256.",
        "ES256": "ECDSA on P-256 with SHA-256.",
        "EdDSA": "Ed25519.",
    }
    Profile, "The shape of access tokens.": {
        "ciam": "`typ` is `JWT` and `scope` is a list.",
        "rfc9068": "RFC 9068: `typ` is `at+jwt`, `scope` is one string, and `client_id` is a claim.",
    }
    IdentifierKind, "A kind of identifier.": {
        "username": "Anything that is neither of the others.",
        "phone_number": "It starts with `+`, or is all digits where phone numbers are accepted.",
        "email": "It has an `@`.",
    }
    ClientType, "The kind of an application, as the configuration names it.": {
        "web": "A web application: confidential.",
        "spa": "A single-page application: public.",
        "mobile": "A mobile app: public.",
    }
    Grant, "A grant type (RFC 6749 §4.3, §4.4 and §6).": {
        "password": "The user's name and password.",
        "refresh_token": "A refresh token.",
        "client_credentials": "The client's own secret: it acts for itself.",
    }
    Status, "Whether a user may log in.": {
        "active": "The user may log in.",
        "locked": "Locked by too many failures or by an administrator.",
        "frozen": "Suspended for a while.",
        "disabled": "Switched off.",
    }
    Format, "How a document lists its users.": {
        "json": "One JSON document: `{\"users\": […]}` or `[…]`.",
        "json_lines": "One JSON object a line.",
    }
    HttpMethod, "How a directory is called.": {
        "GET": "Without a body, and as often as one likes.",
        "POST": "With a body, once.",
        "PUT": "With a body, once.",
    }
    CredentialsForm, "How identifier and password are sent.": {
        "basic": "By GET, as HTTP Basic (RFC 7617).",
        "json": "By POST, in a JSON body.",
    }
    AnswerPart, "What of an answer is read.": {
        "body": "Its body, which is JSON.",
        "headers": "Its headers.",
    }
    OnGraceFromElsewhere, "What happens when two graces in a row were used from elsewhere.": {
        "end": "The family ends.",
        "tell": "It goes on. The audit line and a counter tell of it, as they do of the end.",
    }
    OnStoreFailure, "What happens while it can't be asked whether tokens have ended, and who has to wait.": {
        "refuse": "Nobody is served.",
        "allow": "Tokens are taken for good, stolen and revoked ones too, and nobody has to wait after failures.",
    }
}
