//! A JSON or YAML document as Envoy sees it, but for duplicate keys: they are kept, so that they can be reported.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Number;

/// A document, or a value somewhere in it. It has no `Debug`, since there may be secrets in it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Tree {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Map(Fields),
}

/// The fields of an object in their order, duplicates included.
#[derive(Clone, Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, Tree)>);

impl Tree {
    /// A field of an object; the last one, where there are several.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree> {
        let Self::Map(Fields(fields)) = self else { return None };
        fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The value at `a.b.c`.
    pub(crate) fn at(&self, path: &str) -> Option<&Tree> {
        path.split('.').try_fold(self, |tree, name| tree.get(name))
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Whether it is this text, number or truth value.
    pub(crate) fn is(&self, value: &str) -> bool {
        match self {
            Self::Text(text) => text == value,
            Self::Number(number) => number.to_string() == value,
            Self::Bool(is_true) => is_true.to_string() == value,
            Self::Null | Self::List(_) | Self::Map(_) => false,
        }
    }

    /// The elements, if it is a list.
    pub(crate) fn elements(&self) -> &[Tree] {
        if let Self::List(elements) = self { elements } else { &[] }
    }

    /// The elements of the list at `a.b.c`.
    pub(crate) fn list(&self, path: &str) -> &[Tree] {
        self.at(path).map(Tree::elements).unwrap_or_default()
    }

    /// The text at `a.b.c`; an empty one, if there is none.
    pub(crate) fn text_at(&self, path: &str) -> &str {
        self.at(path).and_then(Tree::text).unwrap_or_default()
    }

    /// The fields, if it is an object.
    pub(crate) fn fields(&self) -> &[(String, Tree)] {
        if let Self::Map(Fields(fields)) = self { fields } else { &[] }
    }

    /// A field of a protobuf message, whose name may be written in either way.
    pub(crate) fn field(&self, name: &str) -> Option<&Tree> {
        self.get(name).or_else(|| self.get(&camel_case(name)))
    }

    /// The message's name, if it is a `google.protobuf.Any`.
    pub(crate) fn type_name(&self) -> Option<&str> {
        self.get("@type")?.text()?.rsplit('/').next()
    }

    /// Shows it and all that is in it, each with its path.
    pub(crate) fn walk<'a>(&'a self, path: &str, visit: &mut dyn FnMut(&str, &'a Tree)) {
        visit(path, self);
        for (name, child) in self.fields() {
            child.walk(&inside(path, name), visit);
        }
        for (index, child) in self.elements().iter().enumerate() {
            child.walk(&format!("{path}[{index}]"), visit);
        }
    }

    /// The same as JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The path of a field of what is at a path.
pub(crate) fn inside(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_').map(Cow::from);
    let first = words.next().unwrap_or_default();
    words.fold(first.into_owned(), |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> de::Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = map.next_entry()? {
            fields.0.push(field);
        }
        Ok(fields)
    }
}
