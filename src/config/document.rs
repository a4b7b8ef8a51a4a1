//! Walks a JSON document and reports all that is wrong, where serde would stop at the first error and show the value.
//!
//! A value is parsed only where it is asked for, so that a directory of many users needs no second copy in memory.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, value::RawValue};

use super::{
    problem::{Path, Report},
    setting::Setting,
    shape::{Field, Filled},
};

/// A JSON object being read: fields are taken out by name, and those that nobody took are reported.
pub(super) struct Object<'a> {
    path: &'a Path<'a>,
    report: &'a Report,
    fields: Vec<(String, &'a RawValue)>,
}

/// A value somewhere in the document.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(crate) path: &'a Path<'a>,
    pub(crate) report: &'a Report,
    raw: &'a RawValue,
}

impl<'a> Object<'a> {
    /// Reads a whole document with `read`. None if it is not a JSON object.
    pub(super) fn document<T>(text: &str, report: &Report, read: impl FnOnce(&mut Object) -> T) -> Option<T> {
        Self::record(text, &Path::Root, report, read)
    }

    /// Reads a text that stands at `path` in something greater. None if it is not a JSON object.
    pub(super) fn record<T>(
        text: &str,
        path: &Path,
        report: &Report,
        read: impl FnOnce(&mut Object) -> T,
    ) -> Option<T> {
        match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => Node { path, report, raw }.object(read),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                report.add(path, format!("not a JSON document: line {line}, column {column}"));
                None
            }
        }
    }

    /// A setting that may be left out; null counts as left out.
    pub(super) fn optional<T: Setting>(&mut self, field: Field<Option<T>>) -> Option<T> {
        self.with(field, |node| node.read()).flatten()
    }

    /// A setting that must be there.
    pub(super) fn required<T: Setting>(&mut self, field: Field<T>) -> Option<T> {
        self.required_with(field, |node| node.read()).flatten()
    }

    /// Reads an object that may be left out.
    pub(super) fn nested<F, T>(&mut self, field: Field<Option<F>>, read: impl FnOnce(&mut Object) -> T) -> Option<T> {
        self.with(field, |node| node.object(read)).flatten()
    }

    /// Reads each element of a list that may be left out.
    pub(super) fn each<F, T>(&mut self, field: Field<Option<Vec<F>>>, read: impl FnMut(Node) -> Option<T>) -> Vec<T> {
        self.with(field, |node| node.each(read)).unwrap_or_default()
    }

    /// Reads each element of a list that must be there and have one.
    pub(super) fn each_of_some<F, T>(
        &mut self,
        field: Field<Filled<F>>,
        read: impl FnMut(Node) -> Option<T>,
    ) -> Vec<T> {
        self.required_with(field, |node| node.each_of_some(read)).unwrap_or_default()
    }

    /// Reads a value in its own way, if it is there.
    pub(super) fn with<F, T>(&mut self, field: Field<Option<F>>, read: impl FnOnce(Node) -> T) -> Option<T> {
        let path = Path::Field(self.path, field.name);
        let raw = self.take(field.name).filter(|raw| raw.get() != "null")?;
        Some(read(Node { path: &path, report: self.report, raw }))
    }

    /// Reads a value in its own way, and reports that it is missing where it is.
    pub(super) fn required_with<F, T>(&mut self, field: Field<F>, read: impl FnOnce(Node) -> T) -> Option<T> {
        let value = self.with(field.read_as::<Option<F>>(), read);
        if value.is_none() {
            self.problem(field.name, "missing");
        }
        value
    }

    /// Whether there is a field of this name that nobody has taken.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// Reports a problem with one of the fields.
    pub(super) fn problem(&self, name: &str, what: impl Into<String>) {
        self.report.add(&Path::Field(self.path, name), what);
    }

    /// Reports what an operator should know of one of the fields, and may still mean.
    pub(super) fn warning(&self, name: &str, what: impl Into<String>) {
        self.report.warn(&Path::Field(self.path, name), what);
    }

    /// Reports a field that must not be there, in better words than that it is unknown.
    pub(super) fn refuse(&mut self, name: &str, what: &str) {
        if self.take(name).is_some() {
            self.problem(name, what);
        }
    }

    /// Takes all fields that are left, whatever their names. What of them is no JSON that can be kept is a problem.
    pub(super) fn rest(&mut self) -> Vec<(String, Value)> {
        let (path, report) = (self.path, self.report);
        let field = |(name, raw): (String, &RawValue)| match serde_json::from_str(raw.get()) {
            Ok(value) => Some((name, value)),
            Err(_) => {
                Node { path: &Path::Field(path, &name), report, raw }.problem("nested too deep, or half a character");
                None
            }
        };
        std::mem::take(&mut self.fields).into_iter().filter_map(field).collect()
    }

    /// Reads all fields that are left, whatever their names; null counts as left out.
    pub(super) fn each_left<T>(&mut self, mut read: impl FnMut(&str, Node) -> Option<T>) -> Vec<T> {
        let (path, report) = (self.path, self.report);
        let field = |(name, raw): (String, &RawValue)| {
            let node = Node { path: &Path::Field(path, &name), report, raw };
            if raw.get() == "null" { None } else { read(&name, node) }
        };
        std::mem::take(&mut self.fields).into_iter().filter_map(field).collect()
    }

    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.fields.iter().position(|(field, _)| field == name)?;
        Some(self.fields.swap_remove(at).1)
    }

    fn take_duplicates(&mut self) {
        let mut seen = std::collections::HashSet::new();
        let (path, report) = (self.path, self.report);
        self.fields.retain(|(name, _)| {
            let first = seen.insert(name.clone());
            if !first {
                report.add(&Path::Field(path, name), "given twice");
            }
            first
        });
    }

    fn finish(self) {
        for (name, _) in &self.fields {
            self.problem(name, "unknown field");
        }
    }
}

impl Node<'_> {
    /// Reads the value as a setting.
    pub(super) fn read<T: Setting>(&self) -> Option<T> {
        let value = serde_json::from_str(self.raw.get()).ok();
        if value.is_none() {
            self.problem(format!("expected {}", T::EXPECTED));
        }
        value
    }

    /// Reads the value as an object, all of whose fields must be known to `read`.
    pub(super) fn object<T>(&self, read: impl FnOnce(&mut Object) -> T) -> Option<T> {
        let Ok(ObjectFields(fields)) = serde_json::from_str(self.raw.get()) else {
            self.problem("expected an object");
            return None;
        };
        let mut object = Object { path: self.path, report: self.report, fields };
        object.take_duplicates();
        let value = read(&mut object);
        object.finish();
        Some(value)
    }

    /// Reads the elements of a list.
    pub(super) fn each<T>(&self, mut read: impl FnMut(Node) -> Option<T>) -> Vec<T> {
        let element = |(index, raw)| {
            let path = Path::Index(self.path, index);
            read(Node { path: &path, report: self.report, raw })
        };
        self.elements().unwrap_or_default().into_iter().enumerate().filter_map(element).collect()
    }

    /// Reads the elements of a list that must have one.
    pub(super) fn each_of_some<T>(&self, read: impl FnMut(Node) -> Option<T>) -> Vec<T> {
        if serde_json::from_str::<[(); 0]>(self.raw.get()).is_ok() {
            self.problem("an empty list");
        }
        self.each(read)
    }

    fn elements(&self) -> Option<Vec<&RawValue>> {
        let elements = serde_json::from_str(self.raw.get()).ok();
        if elements.is_none() {
            self.problem("expected a list");
        }
        elements
    }

    /// Whether the value is a JSON object with this field.
    pub(super) fn has(&self, name: &str) -> bool {
        let fields = serde_json::from_str(self.raw.get());
        fields.is_ok_and(|ObjectFields(fields)| fields.iter().any(|(field, _)| field == name))
    }

    /// Whether the value is a JSON object.
    pub(super) fn is_object(&self) -> bool {
        self.raw.get().starts_with('{')
    }

    /// Reports a problem with this value.
    pub(super) fn problem(&self, what: impl Into<String>) {
        self.report.add(self.path, what);
    }
}

/// The fields of an object in their order, duplicates included.
struct ObjectFields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for ObjectFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<'a>(PhantomData<&'a ()>);

impl<'de> de::Visitor<'de> for ObjectVisitor<'de> {
    type Value = ObjectFields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<ObjectFields<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(ObjectFields(fields))
    }
}
