//! YAML by Envoy's rules (yaml-cpp, then its own conversion to a protobuf `Struct`), which are nobody else's: `1.5` is
//! a text and `on` is true.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::document::{Fields, Tree};

/// Reads a YAML document; several become a list of them, since Kubernetes looks at all where Envoy takes the first.
pub(crate) fn read(text: &str) -> Result<Tree, String> {
    let mut reader = Reader { events: Parser::new_from_str(text), anchors: HashMap::new() };
    let mut documents = reader.nodes()?;
    let last = documents.pop();
    if documents.is_empty() {
        return Ok(last.unwrap_or(Tree::Null));
    }
    documents.extend(last);
    Ok(Tree::List(documents))
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Tree>,
}

impl<'a> Reader<'a> {
    /// All nodes up to the end of what has begun.
    fn nodes(&mut self) -> Result<Vec<Tree>, String> {
        std::iter::from_fn(|| self.node().transpose()).collect()
    }

    fn node(&mut self) -> Result<Option<Tree>, String> {
        let (anchor, tree) = match self.event()? {
            Event::Alias(anchor) => {
                let tree = self.anchors.get(&anchor).cloned();
                return tree.map(Some).ok_or_else(|| "an alias inside of what it stands for".to_owned());
            }
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar(&text, style, tag.as_deref())),
            Event::SequenceStart(_, anchor, _) => (anchor, Tree::List(self.nodes()?)),
            Event::MappingStart(_, anchor, _) => (anchor, Tree::Map(self.fields()?)),
            _ => return Ok(None),
        };
        self.keep(anchor, &tree);
        Ok(Some(tree))
    }

    fn fields(&mut self) -> Result<Fields, String> {
        let mut fields = Fields::default();
        while let Some((name, is_ignored)) = self.name()? {
            let value = self.node()?.unwrap_or(Tree::Null);
            if !is_ignored {
                fields.0.push((name, value));
            }
        }
        Ok(fields)
    }

    /// The name of a field, and whether Envoy passes over it.
    fn name(&mut self) -> Result<Option<(String, bool)>, String> {
        match self.event()? {
            Event::Scalar(text, style, anchor, tag) => {
                self.keep(anchor, &scalar(&text, style, tag.as_deref()));
                Ok(Some((text.into_owned(), is(tag.as_deref(), "!ignore"))))
            }
            Event::MappingEnd => Ok(None),
            _ => Err("not a YAML document for Envoy: a key that is no plain text".to_owned()),
        }
    }

    fn keep(&mut self, anchor: usize, tree: &Tree) {
        const NO_ANCHOR: usize = 0;
        if anchor != NO_ANCHOR {
            self.anchors.insert(anchor, tree.clone());
        }
    }

    /// The next event that is part of a node, or the end.
    fn event(&mut self) -> Result<Event<'a>, String> {
        loop {
            match self.events.next_event() {
                None => return Ok(Event::StreamEnd),
                Some(Err(error)) => return Err(not_yaml(&error)),
                Some(Ok((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _))) => {}
                Some(Ok((event, _))) => return Ok(event),
            }
        }
    }
}

fn not_yaml(error: &ScanError) -> String {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    format!("not a YAML document: line {line}, column {column}: {}", error.info())
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Tree {
    let is_quoted = tag.is_none() && style != ScalarStyle::Plain;
    let is_null = tag.is_none() && ["", "~", "null", "Null", "NULL"].contains(&text);
    if is_quoted || is(tag, "!") {
        Tree::Text(text.to_owned())
    } else if is_null {
        Tree::Null
    } else {
        boolean(text).or_else(|| integer(text)).unwrap_or_else(|| Tree::Text(text.to_owned()))
    }
}

fn is(tag: Option<&Tag>, name: &str) -> bool {
    tag.is_some_and(|tag| tag.original() == name)
}

/// YAML 1.1's words, in lower case, upper case or capitalised.
fn boolean(text: &str) -> Option<Tree> {
    let lower = text.to_ascii_lowercase();
    let is_cased = text == lower || text == text.to_ascii_uppercase() || text.get(1..) == lower.get(1..);
    match lower.as_str() {
        "y" | "yes" | "true" | "on" if is_cased => Some(Tree::Bool(true)),
        "n" | "no" | "false" | "off" if is_cased => Some(Tree::Bool(false)),
        _ => None,
    }
}

/// An integer of C. Envoy makes a text of one that does not fit 32 bits, and of all other numbers.
fn integer(text: &str) -> Option<Tree> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = radix(digits);
    let is_signed_twice = digits.starts_with(['+', '-']);
    let number = i64::from_str_radix(&format!("{sign}{digits}"), radix).ok().filter(|_| !is_signed_twice)?;
    Some(i32::try_from(number).map_or_else(|_| Tree::Text(number.to_string()), |small| Tree::Number(small.into())))
}

fn radix(digits: &str) -> (u32, &str) {
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let octal = digits.strip_prefix('0').filter(|rest| !rest.is_empty());
    match (hexadecimal, octal) {
        (Some(digits), _) => (16, digits),
        (None, Some(digits)) => (8, digits),
        (None, None) => (10, digits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each was given to Envoy 1.40 as `node.metadata` (a `Struct`) and read back from its `/server_info`.
    const MEASURED: [(&str, &str); 16] = [
        ("[300, -5, +5, 0, 00, -0]", "[300,-5,5,0,0,0]"),
        ("[2147483647, 2147483648, -2147483649]", r#"[2147483647,"2147483648","-2147483649"]"#),
        ("[8613800138000, +8613800138000]", r#"["8613800138000","8613800138000"]"#),
        ("[9223372036854775807, 9223372036854775808]", r#"["9223372036854775807","9223372036854775808"]"#),
        ("[0755, -0755, 089, 0o17]", r#"[493,-493,"089","0o17"]"#),
        ("[0x1F, -0x10, 0x80000000, 0x, 0xg, 12abc]", r#"[31,-16,"2147483648","0x","0xg","12abc"]"#),
        (
            "[1.5, 1e3, 300.0, 1_000, .inf, nan, 2001-01-01, 12 34]",
            r#"["1.5","1e3","300.0","1_000",".inf","nan","2001-01-01","12 34"]"#,
        ),
        (
            "[y, n, yes, no, on, off, Y, N, Yes, NO, On]",
            "[true,false,true,false,true,false,true,false,true,false,true]",
        ),
        ("[oFF, tRUE, fALSE, True, TRUE, t, f]", r#"["oFF","tRUE","fALSE",true,true,"t","f"]"#),
        ("[~, null, Null, NULL, nULL]", r#"[null,null,null,null,"nULL"]"#),
        (r#"["300", '300', "true", "null", ""]"#, r#"["300","300","true","null",""]"#),
        (
            r#"[!!str 300, !!str true, !!int "300", !foo 300, ! 300, !!str null, !!null "x"]"#,
            r#"[300,true,300,300,"300","null","x"]"#,
        ),
        ("a: |\n  300\nb: >-\n  true\nc:\n", r#"{"a":"300\n","b":"true","c":null}"#),
        ("{a: &x {k: 1}, b: *x}", r#"{"a":{"k":1},"b":{"k":1}}"#),
        ("{<<: {x: 1}, y: 2}", r#"{"<<":{"x":1},"y":2}"#),
        ("{!ignore a: &x [1], b: *x, 0x10: c, on: d, null: e}", r#"{"b":[1],"0x10":"c","on":"d","null":"e"}"#),
    ];

    fn json(yaml: &str) -> String {
        read(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}")).to_json()
    }

    #[test]
    fn scalars_and_keys_become_what_envoy_makes_of_them() {
        for (yaml, expected) in MEASURED {
            assert_eq!(json(yaml), expected, "{yaml}");
        }
    }

    #[test]
    fn duplicates_are_kept_though_envoy_takes_the_last() {
        assert_eq!(json("{k: 1, k: 2}"), r#"{"k":1,"k":2}"#);
    }

    #[test]
    fn no_document_is_null_and_several_are_a_list() {
        assert_eq!(json(""), "null");
        assert_eq!(json("# nothing"), "null");
        assert_eq!(json("---\na: 1\n---\nb: 2\n"), r#"[{"a":1},{"b":2}]"#);
    }

    #[test]
    fn what_is_not_yaml_is_told_by_its_place() {
        for yaml in ["a: [", "a: *nobody", "{? {a: b} : 1}", "&x [*x]", "a: b: c", "\"open"] {
            assert!(read(yaml).is_err(), "{yaml}");
        }
        let error = read("a: 1\nb: *nobody\n").err().unwrap();
        assert!(error.starts_with("not a YAML document: line 2, column 4: "), "{error}");
    }
}
