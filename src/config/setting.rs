//! The types of single settings, each with the words that say what was expected where something else stands.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value};

use super::shape::schema;
use crate::time::UnixTime;

/// A value that stands alone.
pub(super) trait Setting: DeserializeOwned {
    /// What the value must be, in words.
    const EXPECTED: &'static str;
}

/// A text of at least one character.
#[derive(Clone)]
pub(super) struct Text(pub(crate) String);

schema!(Text, {"title": "text", "type": "string", "minLength": 1});

/// A whole number.
#[derive(Clone, Copy)]
pub(super) struct Count(pub(crate) u64);

/// A span of time, in the JSON form of a protobuf `Duration`: `"300s"`, `"0.5s"`.
#[derive(Clone, Copy)]
pub(super) struct Span(pub(crate) Duration);

schema!(Span, {"title": "duration", "type": "string", "pattern": r"^([0-9]+\.?[0-9]*|\.[0-9]+)s$"});

/// A point in time: RFC 3339 (`"2030-01-31T12:00:00Z"`), or seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Instant(pub(crate) UnixTime);

schema!(Instant, {
    "title": "time",
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 0}],
});

impl Setting for Instant {
    const EXPECTED: &'static str = "a time such as \"2030-01-31T12:00:00Z\", or seconds since 1970";
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";
}

impl Setting for Text {
    const EXPECTED: &'static str = "a text that is not empty";
}

impl Setting for Count {
    const EXPECTED: &'static str = "a whole number";
}

impl Setting for Span {
    const EXPECTED: &'static str = "a duration in seconds, such as \"300s\"";
}

impl Setting for Map<String, Value> {
    const EXPECTED: &'static str = "an object";
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Err(D::Error::custom("empty")) } else { Ok(Self(text)) }
    }
}

impl<'de> Deserialize<'de> for Count {
    /// Accepts `300.0` for 300, since a protobuf `Struct` has no other numbers.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let whole = number.as_f64().filter(|float| float.fract() == 0.0 && (0.0..9e15).contains(float));
        whole.map(|float| Self(float as u64)).ok_or_else(|| D::Error::custom("not a whole number"))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        UnixTime::from_json(&value).map(Self).ok_or_else(|| D::Error::custom("not a time"))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        seconds(&text).map(Self).ok_or_else(|| D::Error::custom("not a duration"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0.as_secs_f64())
    }
}

#[cfg(not(target_family = "wasm"))]
impl serde::Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Duration::try_from_secs_f64(number.parse().ok().filter(|_| plain)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_protobuf_writes_them() {
        assert_eq!(seconds("300s"), Some(Duration::from_secs(300)));
        assert_eq!(seconds("0.5s"), Some(Duration::from_millis(500)));
        for text in ["", "s", "300", "5m", "-1s", "1e3s", "infs", "nans", " 1s", "99999999999999999999s"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        let read = |text| serde_json::from_str::<Count>(text).ok().map(|count| count.0);
        assert_eq!(read("300.0"), Some(300));
        assert_eq!(read("300"), Some(300));
        assert_eq!(read("1e16"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read("1.5"), None);
    }
}
