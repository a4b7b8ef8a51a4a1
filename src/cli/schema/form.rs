//! The form of a value, in words.

use serde_json::Value;

/// What a value may be. `link` has a word for an object with fields, whose path is empty where it is one of several forms.
pub(super) fn of<'a>(schema: &'a Value, path: &str, link: &mut dyn FnMut(&'a Value, &str) -> String) -> String {
    if let Some(title) = schema["title"].as_str() {
        return title.to_owned();
    }
    if schema["properties"].is_object() {
        return link(schema, path);
    }
    if schema["items"].is_object() {
        return format!("list of {}", of(&schema["items"], &format!("{path}[]"), link));
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        return one_of(forms.iter().filter(|form| !is_null(form)).map(|form| of(form, "", link)).collect());
    }
    if schema["additionalProperties"].is_object() {
        return format!("{}, each by a name", of(&schema["additionalProperties"], "", link));
    }
    if schema["type"] == "boolean" {
        return "`true` or `false`".to_owned();
    }
    one_of(consts(schema).map(|(name, _)| format!("`{name}`")).collect())
}

/// What each choice means, where there are some.
pub(super) fn choices(schema: &Value) -> String {
    let schema = if schema["items"].is_object() { &schema["items"] } else { schema };
    let choices = consts(schema).map(|(name, meaning)| format!("`{name}`: {meaning}"));
    choices.collect::<Vec<_>>().join("<br>")
}

fn consts(schema: &Value) -> impl Iterator<Item = (&str, &str)> {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    choices.filter_map(|choice| Some((choice["const"].as_str()?, choice["description"].as_str()?)))
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null"
}

fn one_of(forms: Vec<String>) -> String {
    match forms.as_slice() {
        [] => String::new(),
        [form] => form.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
