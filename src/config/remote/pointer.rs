//! Places in JSON, and values there.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use crate::config::{setting::Setting, shape::schema};

/// A JSON Pointer (RFC 6901), which may be empty for the whole.
pub(crate) struct Pointer(pub(crate) String);

schema!(Pointer, {"title": "JSON Pointer", "type": "string", "pattern": "^(/([^~]|~[01])*)?$"});

/// A JSON Pointer to a part of something.
pub(crate) struct FieldPointer(pub(crate) String);

schema!(FieldPointer, {"title": "JSON Pointer to a field", "type": "string", "pattern": "^/([^~]|~[01])*$"});

/// A JSON value that has no parts.
pub(crate) struct Scalar(pub(crate) Value);

schema!(Scalar, {"title": "text, number, `true` or `false`", "type": ["string", "number", "boolean"]});

impl Setting for Pointer {
    const EXPECTED: &'static str = "a JSON Pointer (RFC 6901), such as \"/rows/0\"";
}

impl Setting for FieldPointer {
    const EXPECTED: &'static str = "a JSON Pointer (RFC 6901) to a field, such as \"/id\"";
}

impl Setting for Scalar {
    const EXPECTED: &'static str = "a text, a number, true or false";
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_escaped = |part: &str| part.starts_with(['0', '1']);
        let is_pointer = (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(is_escaped);
        is_pointer.then_some(Self(text)).ok_or_else(|| D::Error::custom("not a pointer"))
    }
}

impl<'de> Deserialize<'de> for FieldPointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Pointer(at) = Pointer::deserialize(deserializer)?;
        if at.is_empty() { Err(D::Error::custom("the whole")) } else { Ok(Self(at)) }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let has_parts = value.is_null() || value.is_array() || value.is_object();
        if has_parts { Err(D::Error::custom("not a scalar")) } else { Ok(Self(value)) }
    }
}
