//! The manifests for Istio and Envoy Gateway, read as those read them.

use std::path::Path;

use serde_json::Value;
use token_endpoint::cli::check_config;

/// The documents of one of the files, by its path below `envoy`.
pub fn documents(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    match value(&text, &path) {
        Value::Array(documents) => documents,
        document => vec![document],
    }
}

/// The only document of this kind in one of the files.
pub fn document(file: &str, kind: &str) -> Value {
    let mut documents: Vec<_> = documents(file).into_iter().filter(|document| document["kind"] == kind).collect();
    assert_eq!(documents.len(), 1, "{kind} in {file}");
    documents.remove(0)
}

/// A YAML document as JSON, its anchors resolved.
pub fn value(text: &str, path: &Path) -> Value {
    serde_json::from_str(&check_config::json(text, path).unwrap()).unwrap()
}
