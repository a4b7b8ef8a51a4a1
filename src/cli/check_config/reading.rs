//! Reads a document as Envoy does, be it JSON or YAML.

use std::path::Path;

use super::{document::Tree, yaml};

/// Reads a document as Envoy does: by its file's name or, where that tells nothing, by how it begins.
pub(crate) fn read(text: &str, path: &Path) -> Result<Tree, String> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some("json") => json(text),
        Some("yaml" | "yml") => yaml::read(text),
        _ if text.trim_start().starts_with('{') => json(text),
        _ => yaml::read(text),
    }
}

fn json(text: &str) -> Result<Tree, String> {
    let position = |error: serde_json::Error| (error.line(), error.column());
    let read = serde_json::from_str(text).map_err(position);
    read.map_err(|(line, column)| format!("not a JSON document: line {line}, column {column}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_as_it_was() {
        let text = r#"{"a":[null,true,-1,1.5,8613800138000,"x\n"],"a":{},"b":{"c":"d"}}"#;
        let tree = json(text).ok().unwrap();
        assert_eq!(tree.to_json(), text);
        assert_eq!(tree.at("b.c").and_then(Tree::text), Some("d"));
        assert!(tree.get("a").unwrap().fields().is_empty());
    }

    #[test]
    fn the_file_name_decides_then_the_first_character() {
        let is_text = |name: &str| {
            let tree = read(r#"{"a": 1.5}"#, Path::new(name)).ok().unwrap();
            tree.get("a").and_then(Tree::text).is_some()
        };
        assert_eq!(["a.yaml", "a.yml", "a.json", "-"].map(is_text), [true, true, false, false]);
    }

    #[test]
    fn a_mistake_in_json_is_told_by_its_place() {
        let error = json("{\"secret\": hunter2}").err().unwrap();
        assert_eq!(error, "not a JSON document: line 1, column 12");
    }
}
