//! Texts with places to fill in, where whatever is filled in stays data: it can't end the value that it is part of.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::IgnoredAny;

use crate::{
    registry::identifier::{Identifier, IdentifierKind},
    secret::Secret,
};

/// A text with placeholders, made for one place and encoding as that place demands.
#[derive(Debug)]
pub struct Template {
    place: UrlPart,
    parts: Vec<Part>,
}

/// Where an expanded text goes, which decides how values are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlPart {
    /// `:path`, query included: percent-encoded.
    Path,
    /// The value of a header: percent-encoded.
    Header,
    /// A JSON document: a string, with its quotes.
    Json,
    /// A form: percent-encoded.
    Form,
}

/// What can be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{identifier}`: in comparable form.
    Identifier,
    /// `{kind}`: `username`, `phone_number` or `email`.
    Kind,
    /// `{auth_source_id}`
    AuthSourceId,
    /// `{password}`
    Password,
}

/// What is filled in.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// For `{auth_source_id}`.
    pub auth_source_id: &'a str,
    /// For `{identifier}` and `{kind}`.
    pub identifier: Option<&'a Identifier>,
    /// For `{password}`.
    pub password: Option<&'a Secret>,
}

#[derive(Debug)]
enum Part {
    Literal(String),
    Value(Placeholder),
}

const UNKNOWN: &str = "an unknown placeholder: {identifier}, {kind} and {auth_source_id} are known, and {password} where \
                       a password is sent";
const ELSEWHERE: &str = "a placeholder that can't be used here";

impl Template {
    /// Reads a template. The placeholders in `known` may be used, and must make sense where they stand.
    ///
    /// # Errors
    /// What is wrong, in words that show nothing of the text.
    pub fn parse(text: &str, place: UrlPart, known: &[Placeholder]) -> Result<Self, &'static str> {
        let template = Self { place, parts: parts(text)? };
        if template.placeholders().any(|placeholder| !known.contains(&placeholder)) {
            return Err(ELSEWHERE);
        }
        template.check()?;
        Ok(template)
    }

    /// The text with `values` in it. None where one of them is not given, or would act as more than a value.
    pub fn expand(&self, values: &Values) -> Option<Secret> {
        if self.place == UrlPart::Path && self.leads_elsewhere(values)? {
            return None;
        }
        let mut text = Vec::with_capacity(self.longest(values)?);
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
                Part::Value(placeholder) => self.place.encode(&mut text, values.get(*placeholder)?),
            }
        }
        Some(Secret::new(text))
    }

    /// The placeholders, in their order.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Value(placeholder) => Some(*placeholder),
        })
    }

    /// Room for the whole, so that no secret is left behind in memory by a text that grows.
    fn longest(&self, values: &Values) -> Option<usize> {
        const QUOTES: usize = 2;
        const LONGEST_ESCAPE: usize = "\\u0000".len();
        let part = |part: &Part| match part {
            Part::Literal(literal) => Some(literal.len()),
            Part::Value(placeholder) => Some(values.get(*placeholder)?.len() * LONGEST_ESCAPE + QUOTES),
        };
        self.parts.iter().map(part).sum()
    }

    /// Whether a segment of the path is `.` or `..`, as far as a server may see it: many decode before they look for
    /// dots, and then a slash in a value is a slash.
    fn leads_elsewhere(&self, values: &Values) -> Option<bool> {
        let path = self.decoded_path(values)?;
        Some(path.split(['/', '\\']).any(|segment| [".", ".."].contains(&segment)))
    }

    /// The path without its query, as a server sees it that decodes first.
    fn decoded_path(&self, values: &Values) -> Option<String> {
        let mut path = String::new();
        for part in &self.parts {
            match part {
                Part::Value(placeholder) => path.push_str(values.get(*placeholder)?),
                Part::Literal(literal) => match literal.split_once('?') {
                    Some((before, _)) => return Some(path + before),
                    None => path.push_str(literal),
                },
            }
        }
        Some(path)
    }

    fn check(&self) -> Result<(), &'static str> {
        match self.place {
            UrlPart::Path if !self.is_path() => Err("expected a path: / first, and nothing that a URI has to encode"),
            UrlPart::Path if self.sample().is_none() => Err("a path with . or .. as a segment"),
            UrlPart::Header if !self.consists_of(is_text) => Err("expected printable ASCII, and no other braces"),
            UrlPart::Form if !self.consists_of(is_in_uri) => Err("expected a form, with all encoded that has to be"),
            UrlPart::Json if !self.is_json() => Err("not JSON, with a text in place of each placeholder"),
            _ => Ok(()),
        }
    }

    fn is_path(&self) -> bool {
        let begins = matches!(self.parts.first(), Some(Part::Literal(literal)) if literal.starts_with('/'));
        let hides_dots = self.literals().any(|literal| literal.to_ascii_lowercase().contains("%2e"));
        begins && !hides_dots && self.consists_of(is_in_uri)
    }

    /// A placeholder inside of a string is no JSON either, since what it becomes has its own quotes.
    fn is_json(&self) -> bool {
        let is_json = |json: Secret| serde_json::from_slice::<IgnoredAny>(json.expose()).is_ok();
        self.sample().is_some_and(is_json)
    }

    /// The text with plain letters for values, so that only the template itself can be wrong.
    fn sample(&self) -> Option<Secret> {
        let identifier = Identifier { kind: IdentifierKind::Username, value: "sample".to_owned() };
        let password = Secret::new("sample");
        let values = Values { auth_source_id: "sample", identifier: Some(&identifier), password: Some(&password) };
        self.expand(&values)
    }

    fn consists_of(&self, allowed: fn(u8) -> bool) -> bool {
        self.literals().all(|literal| literal.bytes().all(allowed))
    }

    fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(literal) => Some(literal.as_str()),
            Part::Value(_) => None,
        })
    }
}

impl<'a> Values<'a> {
    fn get(&self, placeholder: Placeholder) -> Option<&'a str> {
        match placeholder {
            Placeholder::AuthSourceId => Some(self.auth_source_id),
            Placeholder::Identifier => self.identifier.map(|identifier| identifier.value.as_str()),
            Placeholder::Kind => self.identifier.map(|identifier| identifier.kind.name()),
            Placeholder::Password => std::str::from_utf8(self.password?.expose()).ok(),
        }
    }
}

impl UrlPart {
    fn encode(self, text: &mut Vec<u8>, value: &str) {
        match self {
            Self::Path | Self::Header | Self::Form => percent_encode(text, value),
            Self::Json => json_encode(text, value),
        }
    }
}

/// All but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn percent_encode(text: &mut Vec<u8>, value: &str) {
    utf8_percent_encode(value, RESERVED).for_each(|piece| text.extend_from_slice(piece.as_bytes()));
}

fn json_encode(text: &mut Vec<u8>, value: &str) {
    let written = serde_json::to_writer(text, value);
    debug_assert!(written.is_ok(), "a text is always JSON, and memory takes it");
}

fn parts(text: &str) -> Result<Vec<Part>, &'static str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((literal, after)) = rest.split_once('{') {
        match name_of(after) {
            Some((name, after)) => {
                parts.push(Part::Literal(literal.to_owned()));
                parts.push(Part::Value(Placeholder::named(name).ok_or(UNKNOWN)?));
                rest = after;
            }
            None => {
                parts.push(Part::Literal(format!("{literal}{{")));
                rest = after;
            }
        }
    }
    parts.push(Part::Literal(rest.to_owned()));
    Ok(parts)
}

/// The name of a placeholder whose brace was just opened, and what follows it.
fn name_of(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.split_once('}')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
    is_name.then_some((name, after))
}

impl Placeholder {
    const ALL: [Self; 4] = [Self::Identifier, Self::Kind, Self::AuthSourceId, Self::Password];

    fn name(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Kind => "kind",
            Self::AuthSourceId => "auth_source_id",
            Self::Password => "password",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|placeholder| placeholder.name() == name)
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.name())
    }
}

impl fmt::Display for Template {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Literal(literal) => f.write_str(literal),
            Part::Value(placeholder) => placeholder.fmt(f),
        })
    }
}

/// What RFC 3986 lets stand in a path or a query.
fn is_in_uri(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte)
}

/// What may stand in the value of a header. Braces are left out, since they are a placeholder written wrong.
fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'{' | b'}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str, place: UrlPart, name: &str) -> Option<String> {
        let identifier = Identifier { kind: IdentifierKind::Username, value: name.to_owned() };
        let values = Values { auth_source_id: "S", identifier: Some(&identifier), password: None };
        let template = Template::parse(text, place, &Placeholder::ALL).unwrap();
        template.expand(&values).map(|text| String::from_utf8(text.expose().to_vec()).unwrap())
    }

    #[test]
    fn each_place_has_its_own_encoding() {
        assert_eq!(expand("/{identifier}", UrlPart::Path, "a/é").as_deref(), Some("/a%2F%C3%A9"));
        assert_eq!(expand("<{identifier}>", UrlPart::Header, "\r\n").as_deref(), Some("<%0D%0A>"));
        assert_eq!(expand("a={identifier}", UrlPart::Form, "b&c").as_deref(), Some("a=b%26c"));
        assert_eq!(expand("[{identifier}]", UrlPart::Json, "\"\n").as_deref(), Some(r#"["\"\n"]"#));
    }

    #[test]
    fn what_is_filled_in_is_not_looked_at_again() {
        assert_eq!(
            expand("[{identifier},{kind}]", UrlPart::Json, "{kind}").as_deref(),
            Some(r#"["{kind}","username"]"#)
        );
    }

    #[test]
    fn a_value_that_is_missing_is_not_left_out() {
        assert_eq!(expand("/{password}", UrlPart::Path, "a"), None);
    }

    #[test]
    fn dots_are_no_name_in_a_path_however_they_get_there() {
        for (text, name) in [("/{identifier}", ".."), ("/.{identifier}", "."), ("/a/{identifier}", "b/../c")] {
            assert_eq!(expand(text, UrlPart::Path, name), None, "{text} {name}");
        }
        assert_eq!(expand("/a?{identifier}", UrlPart::Path, "..").as_deref(), Some("/a?.."));
    }

    #[test]
    fn a_template_is_shown_as_it_was_written() {
        let text = r#"{"a": {identifier}, "b": {}}"#;
        assert_eq!(Template::parse(text, UrlPart::Json, &Placeholder::ALL).unwrap().to_string(), text);
    }

    #[test]
    fn no_secret_is_left_behind_by_a_text_that_grows() {
        let (name, password) = ("\u{1}".repeat(50), Secret::new("é\"\u{0}".repeat(50)));
        let identifier = Identifier { kind: IdentifierKind::Username, value: name };
        let values = Values { auth_source_id: "S", identifier: Some(&identifier), password: Some(&password) };
        for place in [UrlPart::Json, UrlPart::Form] {
            let text = if place == UrlPart::Json { "[{identifier},{password}]" } else { "{identifier}={password}" };
            let template = Template::parse(text, place, &Placeholder::ALL).unwrap();
            assert!(template.expand(&values).unwrap().expose().len() <= template.longest(&values).unwrap());
        }
    }
}
