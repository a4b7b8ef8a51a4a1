//! The `google.protobuf.Struct` that holds the configuration: it becomes JSON of bounded length, or nothing.

use serde_json::Value;
use token_endpoint::config::protobuf::struct_to_json;

/// A control character, which is one byte there, is `\u0000` in JSON.
const LONGEST_ESCAPE: usize = 6;

pub fn read(bytes: &[u8]) {
    if let Some(json) = struct_to_json(bytes) {
        let value: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert!(value.is_object());
        assert!(json.len() <= LONGEST_ESCAPE * bytes.len() + "{}".len(), "{} of {}", json.len(), bytes.len());
    }
}
