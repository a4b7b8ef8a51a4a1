//! The JSON Schema of the document, made of the declarations that its readers go by.
//!
//! It is written in draft 7, which editors know best, and refers to nothing: each field's schema stands where the field does.

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::SchemaSettings,
    json_schema,
    transform::{RecursiveTransform, Transform},
};
use serde_json::{Value, json};

use super::{
    fields::TokenEndpointFields,
    pause_filter::PauseFilterFields,
    shape::{Filled, Seconds, UNBOUNDED, Within},
};

/// The schema of a plugin's document: of a token endpoint's or, where it has `hold`, of a pause filter's.
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "token-endpoint",
        "description": "The configuration of token-endpoint, the OAuth 2.0 token endpoint inside Envoy.",
        "type": "object",
        "if": {"required": [PauseFilterFields::hold.name]},
        "then": of::<PauseFilterFields>(),
        "else": of::<TokenEndpointFields>(),
    })
}

fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    RecursiveTransform(simplify).transform(&mut schema);
    schema.to_value()
}

fn simplify(schema: &mut Schema) {
    join_lines(schema);
    join_null(schema);
}

/// The lines of a doc comment are no lines of a text.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// Makes null one more alternative, where it stands beside one that has alternatives or rules: editors tell better what
/// is wrong the fewer levels there are.
fn join_null(schema: &mut Schema) {
    let null = json!({"type": "null"});
    let Some([inner, other]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) else { return };
    let Some(mut inner) = inner.as_object().filter(|_| *other == null).cloned() else { return };
    if let Some(of_all) = inner.get_mut("type") {
        *of_all = json!([of_all, "null"]);
    }
    for alternatives in ["oneOf", "anyOf"] {
        inner
            .get_mut(alternatives)
            .and_then(Value::as_array_mut)
            .into_iter()
            .for_each(|forms| forms.push(null.clone()));
    }
    schema.remove("anyOf");
    for (keyword, value) in inner {
        schema.ensure_object().entry(keyword).or_insert(value);
    }
}

impl<F: JsonSchema> JsonSchema for Filled<F> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Filled_{}", F::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "array", "items": generator.subschema_for::<F>(), "minItems": 1})
    }
}

impl<const LEAST: u64, const MOST: u64> JsonSchema for Within<LEAST, MOST> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Within_{LEAST}_{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let title = format!("whole number, {LEAST} to {MOST}");
        json_schema!({"title": title, "type": "integer", "minimum": LEAST, "maximum": MOST})
    }
}

impl<const MOST: u64> JsonSchema for Seconds<MOST> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Seconds_{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let title = if MOST == UNBOUNDED { "1s at least".to_owned() } else { format!("1s to {MOST}s") };
        json_schema!({
            "title": format!("whole seconds, {title}"),
            "type": "string",
            "pattern": r"^0*[1-9][0-9]*(\.0*)?s$",
        })
    }
}
