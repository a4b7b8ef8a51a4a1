//! The schema as a page that people read: a section for each object, a line for each field.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::form;

const INTRODUCTION: &str = include_str!("../../../docs/configuration.template.md");

/// The page, in Markdown.
pub(super) fn page(schema: &Value) -> String {
    let mut page = CorsOrigin { text: INTRODUCTION.to_owned(), sections: Vec::new(), told: HashMap::new() };
    page.section("A token endpoint", "", &schema["else"]);
    page.section("A plugin that only holds", "", &schema["then"]);
    page.text
}

struct CorsOrigin {
    text: String,
    sections: Vec<Section>,
    /// The titles of the sections that tell a long meaning first, by field and meaning.
    told: HashMap<(String, String), String>,
}

/// An object that has a section, wherever else it stands.
struct Section {
    fields: Value,
    title: String,
}

/// Objects that wait for their sections: title, path and schema.
type Waiting<'a> = Vec<(String, String, &'a Value)>;

/// From how many bytes on a meaning is told once, and linked to from then on.
const LONG: usize = 60;

impl CorsOrigin {
    /// Writes a section, and then those of the objects in it that have none yet.
    fn section(&mut self, title: &str, path: &str, object: &Value) {
        let mut waiting = Waiting::new();
        let required = object["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_required = |name: &str| required.iter().any(|required| required == name);
        self.text += &format!("\n## {title}\n\n{}", told_here(path, object));
        self.text += "| field | form | default | meaning |\n| --- | --- | --- | --- |\n";
        let (first, second): (Vec<_>, Vec<_>) = properties(object).partition(|(name, _)| is_required(name));
        for (name, field) in first.into_iter().chain(second) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let form = form::of(field, &path, &mut |object, path| self.link(object, path, &mut waiting));
            let default = if is_required(name) { "required".to_owned() } else { default(field) };
            let meaning = self.meaning(title, name, field);
            self.line([format!("`{name}`"), form, default, meaning]);
        }
        waiting.sort_by_key(|(_, path, _)| path.is_empty());
        for (title, path, object) in waiting {
            self.section(&title, &path, object);
        }
    }

    fn line(&mut self, cells: [String; 4]) {
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        self.text += &format!("| {} |\n", cells.join(" | "));
    }

    /// What a field means, or a link to the section that has said so.
    fn meaning(&mut self, title: &str, name: &str, field: &Value) -> String {
        let meaning = [description(field), form::choices(field)].join("<br>").trim_end_matches("<br>").to_owned();
        if meaning.len() < LONG {
            return meaning;
        }
        match self.told.get(&(name.to_owned(), meaning.clone())) {
            Some(title) => format!("as in [{title}](#{})", anchor(title)),
            None => {
                self.told.insert((name.to_owned(), meaning.clone()), title.to_owned());
                meaning
            }
        }
    }

    /// A link to the section of an object. One that has none gets one, with its path for a title.
    fn link<'a>(&mut self, object: &'a Value, path: &str, waiting: &mut Waiting<'a>) -> String {
        let fields = &object["properties"];
        let known = self.sections.iter().find(|section| section.fields == *fields);
        let title = known.map_or_else(|| title(path, fields), |section| section.title.clone());
        if known.is_none() {
            self.sections.push(Section { fields: fields.clone(), title: title.clone() });
            waiting.push((title.clone(), path.to_owned(), object));
        }
        format!("[{title}](#{})", anchor(&title))
    }
}

/// The description of an object that stands in a list or for itself; a field's stands in the line that leads to it.
fn told_here(path: &str, object: &Value) -> String {
    let is_field = !path.is_empty() && !path.ends_with("[]");
    if is_field { String::new() } else { format!("{}\n\n", description(object)) }
}

/// An object that is one of several forms of a value has no path of its own.
fn title(path: &str, fields: &Value) -> String {
    if !path.is_empty() {
        return format!("`{path}`");
    }
    let names = fields.as_object().into_iter().flat_map(Map::keys).cloned().collect::<Vec<_>>();
    format!("`{{{}}}`", names.join(", "))
}

/// As GitHub makes it of a heading.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn properties(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object["properties"].as_object().into_iter().flatten()
}

fn description(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().to_owned()
}

fn default(field: &Value) -> String {
    match &field["default"] {
        Value::Null => String::new(),
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Array(values) => format!("`[{}]`", values.iter().map(plain).collect::<Vec<_>>().join(", ")),
        value => format!("`{value}`"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
