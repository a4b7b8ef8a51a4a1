//! The schema as a page that people read: a section for each object, a line for each field.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::form;

const INTRODUCTION: &str = include_str!("../../../docs/configuration.template.md");

/// The page, in Markdown.
pub(super) fn page(schema: &Value) -> String {
    let mut page =
        Page { text: INTRODUCTION.to_owned(), sections: Vec::new(), told: HashMap::new(), lines: HashMap::new() };
    page.section("A token endpoint", "", &schema["else"]);
    page.section("A plugin that only holds", "", &schema["then"]);
    page.text
}

struct Page {
    text: String,
    sections: Vec<Section>,
    /// The titles of the sections that tell a long meaning first, by field and meaning.
    told: HashMap<(String, String), String>,
    /// The titles of the sections that have a line first.
    lines: HashMap<Line, String>,
}

/// An object that has a section, wherever else it stands.
struct Section {
    fields: Value,
    title: String,
}

/// A field, its form, its default and its meaning.
type Line = [String; 4];

/// Objects that wait for their sections: title, path and schema.
type WithoutSection<'a> = Vec<(String, String, &'a Value)>;

/// From how many bytes on a meaning is told once, and linked to from then on.
const LONG: usize = 60;

impl Page {
    /// Writes a section, and then those of the objects in it that have none yet.
    fn section(&mut self, title: &str, path: &str, object: &Value) {
        self.text += &format!("\n## {title}\n\n{}", told_here(path, object));
        self.text += "| field | form | default | meaning |\n| --- | --- | --- | --- |\n";
        let mut waiting = self.lines(title, path, object);
        waiting.sort_by_key(|(_, path, _)| path.is_empty());
        for (title, path, object) in waiting {
            self.section(&title, &path, object);
        }
    }

    /// Writes a line for each field, and one for all those that are the same as in another section.
    fn lines<'a>(&mut self, title: &str, path: &str, object: &'a Value) -> WithoutSection<'a> {
        let mut waiting = WithoutSection::new();
        let mut repeated = BTreeMap::<String, Vec<String>>::new();
        for (name, field, is_required) in in_order(object) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let form = form::of(field, &path, &mut |object, path| self.link(object, path, &mut waiting));
            let default = if is_required { "required".to_owned() } else { self.default(field) };
            let line = [format!("`{name}`"), form, default, meaning(field)];
            match self.lines.get(&line).filter(|_| !is_required) {
                Some(title) => repeated.entry(title.clone()).or_default().push(format!("`{name}`")),
                None => self.line(title, line),
            }
        }
        for (title, names) in repeated {
            self.text += &format!("| {} | | | {} |\n", names.join(", "), as_in(&title));
        }
        waiting
    }

    /// Writes a line, with a link for a long meaning that another section has told.
    fn line(&mut self, title: &str, line: Line) {
        self.lines.entry(line.clone()).or_insert_with(|| title.to_owned());
        let [name, form, default, meaning] = line;
        let told = (name.clone(), meaning.clone());
        let first = self.told.entry(told).or_insert_with(|| title.to_owned());
        let meaning = if first == title || meaning.len() < LONG { meaning } else { as_in(first) };
        let cells = [name, form, default, meaning].map(|cell| cell.replace('|', "\\|"));
        self.text += &format!("| {} |\n", cells.join(" | "));
    }

    /// A link to the section of an object. One that has none gets one, with its path for a title.
    fn link<'a>(&mut self, object: &'a Value, path: &str, waiting: &mut WithoutSection<'a>) -> String {
        let known = self.known(object);
        let title = known.map_or_else(|| title(path, &object["properties"]), |section| section.title.clone());
        if known.is_none() {
            self.sections.push(Section { fields: object["properties"].clone(), title: title.clone() });
            waiting.push((title.clone(), path.to_owned(), object));
        }
        format!("[{title}](#{})", anchor(&title))
    }

    /// The section of an object with the same fields, whatever their defaults.
    fn known(&self, object: &Value) -> Option<&Section> {
        let fields = without_defaults(&object["properties"]);
        self.sections.iter().find(|section| without_defaults(&section.fields) == fields)
    }

    /// The default of a field, or those of its own fields where they are not the ones in their section.
    fn default(&self, field: &Value) -> String {
        let fields = &field["properties"];
        match self.known(field) {
            Some(section) if fields.is_object() && section.fields != *fields => {
                let defaults = properties(field).map(|(name, field)| format!("{name}: {}", plain(&field["default"])));
                format!("`{{{}}}`", defaults.collect::<Vec<_>>().join(", "))
            }
            _ => default(field),
        }
    }
}

fn as_in(title: &str) -> String {
    format!("as in [{title}](#{})", anchor(title))
}

fn meaning(field: &Value) -> String {
    let told = [description(field), form::choices(field)];
    told.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("<br>")
}

/// Fields as they are but for their defaults.
fn without_defaults(fields: &Value) -> Value {
    let mut fields = fields.clone();
    for field in fields.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        field.remove("default");
    }
    fields
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

/// The fields of an object by name, those that are required first, and whether they are.
fn in_order(object: &Value) -> impl Iterator<Item = (&String, &Value, bool)> {
    let required = object["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fields =
        properties(object).map(|(name, field)| (name, field, required.iter().any(|required| required == name)));
    let (first, second): (Vec<_>, Vec<_>) = fields.partition(|(.., is_required)| *is_required);
    first.into_iter().chain(second)
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
