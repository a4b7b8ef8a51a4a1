//! A `google.protobuf.Struct` as JSON text. Envoy hands the plugin a `Struct` in protobuf's wire format, whatever its
//! documentation says, and YAML inside an Envoy configuration is one.

use crate::varint;

/// How deep a document may be nested: as deep as serde_json reads.
const DEEPEST: usize = 100;

/// The JSON form of an encoded `Struct`. None if the bytes are not one.
pub fn struct_to_json(bytes: &[u8]) -> Option<String> {
    let mut json = String::with_capacity(bytes.len());
    write_struct(&mut json, bytes, DEEPEST)?;
    Some(json)
}

/// `Struct { map<string, Value> fields = 1; }`
fn write_struct(json: &mut String, message: &[u8], depth: usize) -> Option<()> {
    write_each(json, message, ['{', '}'], |json, entry| write_entry(json, entry, depth))
}

/// `ListValue { repeated Value values = 1; }`
fn write_list(json: &mut String, message: &[u8], depth: usize) -> Option<()> {
    write_each(json, message, ['[', ']'], |json, value| write_value(json, value, depth))
}

/// A message of which field 1 is repeated.
fn write_each(
    json: &mut String,
    message: &[u8],
    [open, close]: [char; 2],
    mut write: impl FnMut(&mut String, &[u8]) -> Option<()>,
) -> Option<()> {
    json.push(open);
    for (at, field) in fields(message)?.into_iter().enumerate() {
        let WireField::Bytes(1, element) = field else { return None };
        if at > 0 {
            json.push(',');
        }
        write(json, element)?;
    }
    json.push(close);
    Some(())
}

/// An entry of a map: `{ string key = 1; Value value = 2; }`
fn write_entry(json: &mut String, entry: &[u8], depth: usize) -> Option<()> {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in fields(entry)? {
        match field {
            WireField::Bytes(1, bytes) => key = bytes,
            WireField::Bytes(2, bytes) => value = bytes,
            _ => return None,
        }
    }
    write_string(json, key)?;
    json.push(':');
    write_value(json, value, depth)
}

/// `Value { oneof { null = 1; double = 2; string = 3; bool = 4; Struct = 5; ListValue = 6; } }`
fn write_value(json: &mut String, value: &[u8], depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match fields(value)?.pop() {
        None | Some(WireField::Number(1, _)) => json.push_str("null"),
        Some(WireField::Double(2, number)) => json.push_str(&serde_json::to_string(&number).ok()?),
        Some(WireField::Bytes(3, text)) => write_string(json, text)?,
        Some(WireField::Number(4, truth)) => json.push_str(if truth == 0 { "false" } else { "true" }),
        Some(WireField::Bytes(5, message)) => write_struct(json, message, depth)?,
        Some(WireField::Bytes(6, message)) => write_list(json, message, depth)?,
        Some(_) => return None,
    }
    Some(())
}

fn write_string(json: &mut String, text: &[u8]) -> Option<()> {
    let text = std::str::from_utf8(text).ok()?;
    json.push_str(&serde_json::to_string(text).ok()?);
    Some(())
}

/// A field with its number, in the three wire types that a `Struct` has.
enum WireField<'a> {
    Number(u64, u64),
    Double(u64, f64),
    Bytes(u64, &'a [u8]),
}

fn fields(mut message: &[u8]) -> Option<Vec<WireField<'_>>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint::take(&mut message)?;
        fields.push(field(&mut message, key >> 3, key & 7)?);
    }
    Some(fields)
}

fn field<'a>(message: &mut &'a [u8], number: u64, wire_type: u64) -> Option<WireField<'a>> {
    match wire_type {
        0 => Some(WireField::Number(number, varint::take(message)?)),
        1 => Some(WireField::Double(number, f64::from_le_bytes(take(message, 8)?.try_into().ok()?))),
        2 => {
            let length = usize::try_from(varint::take(message)?).ok()?;
            Some(WireField::Bytes(number, take(message, length)?))
        }
        _ => None,
    }
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use prost::Message;
    use prost_types::{ListValue, Struct, Value, value::Kind};

    use super::*;

    fn value(kind: Kind) -> Value {
        Value { kind: Some(kind) }
    }

    fn object(fields: impl IntoIterator<Item = (String, Value)>) -> Struct {
        Struct { fields: fields.into_iter().collect() }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(value(Kind::NullValue(0))),
            any::<i32>().prop_map(|quarters| value(Kind::NumberValue(f64::from(quarters) / 4.0))),
            any::<String>().prop_map(|text| value(Kind::StringValue(text))),
            any::<bool>().prop_map(|truth| value(Kind::BoolValue(truth))),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|values| value(Kind::ListValue(ListValue { values }))),
                prop::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|fields| value(Kind::StructValue(object(fields)))),
            ]
        })
    }

    fn as_json(value: &Value) -> serde_json::Value {
        match value.kind.as_ref() {
            None | Some(Kind::NullValue(_)) => serde_json::Value::Null,
            Some(Kind::NumberValue(number)) => (*number).into(),
            Some(Kind::StringValue(text)) => text.clone().into(),
            Some(Kind::BoolValue(truth)) => (*truth).into(),
            Some(Kind::StructValue(inner)) => inner.fields.iter().map(|(k, v)| (k.clone(), as_json(v))).collect(),
            Some(Kind::ListValue(list)) => list.values.iter().map(as_json).collect(),
        }
    }

    proptest! {
        #[test]
        fn it_says_what_the_struct_says(inner in any_value()) {
            let message = object([("a".to_owned(), inner.clone())]).encode_to_vec();
            let json = struct_to_json(&message).unwrap();
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&read["a"], &as_json(&inner));
        }

        #[test]
        fn other_bytes_are_refused_or_become_json(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(json) = struct_to_json(&bytes) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
            }
        }
    }

    #[test]
    fn a_bottomless_document_is_refused() {
        let bottom = value(Kind::NullValue(0));
        let deep = (0..DEEPEST + 1).fold(bottom, |inner, _| value(Kind::ListValue(ListValue { values: vec![inner] })));
        assert_eq!(struct_to_json(&object([("a".to_owned(), deep)]).encode_to_vec()), None);
    }
}
