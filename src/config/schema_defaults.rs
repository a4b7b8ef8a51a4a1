//! Defaults in the schema that differ by where fields stand.

use schemars::Schema;
use serde_json::Value;

/// Writes defaults into the schema of an object whose fields have others elsewhere.
pub(super) fn defaults<const N: usize>(defaults: [(&'static str, Value); N]) -> impl FnMut(&mut Schema) {
    move |schema| {
        for (field, default) in &defaults {
            let property = schema.get_mut("properties").and_then(|properties| properties.get_mut(field));
            if let Some(Value::Object(property)) = property {
                property.insert("default".to_owned(), default.clone());
            }
        }
    }
}
