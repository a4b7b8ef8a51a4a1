//! Keeps the layers: in one crate nothing but this test keeps a room from importing what is above it, or a file from importing
//! what imports it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::imports::{self, Files};

/// From the top down; a module may import from its own layer's module and from layers below.
const LAYERS: [&[&str]; 13] = [
    &["wasm", "cli", "threads"],
    &["runtime"],
    &["config"],
    &["endpoint"],
    &["token"],
    &["state"],
    &["attempts"],
    &["registry"],
    &["outbound"],
    &["schedule", "crypto"],
    &["text"],
    &["http", "origin", "time", "varint"],
    &["secret"],
];

#[test]
fn imports_only_point_down() {
    for (file, text) in sources() {
        let Some(own) = module_of(&file) else { continue };
        for imported in imports(&text) {
            let points_down = own == imported || layer(&imported) > layer(&own);
            assert!(points_down, "{}: crate::{imported} is not below {own}", file.display());
        }
    }
}

#[test]
fn no_file_imports_what_imports_it() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let name = |file: &Path| {
        let inside = file.strip_prefix(root).unwrap().with_extension("");
        let inside = inside.to_str().unwrap();
        inside.strip_suffix("/mod").unwrap_or(inside).to_owned()
    };
    let files = sources().into_iter().filter(|(file, _)| module_of(file).is_some());
    let files: Files = files.map(|(file, text)| (name(&file), text)).collect();
    let graph = imports::graph(&files);
    assert!(graph["wasm/host"].contains("runtime/host"), "imports are not seen: {:?}", graph["wasm/host"]);
    let cycles = imports::cycles(&graph);
    assert!(cycles.is_empty(), "{cycles:#?}");
}

#[test]
fn a_cycle_is_seen_through_re_exports_and_in_paths() {
    let texts = [
        ("a", "mod b;\npub use self::b::B;\n"),
        ("a/b", "use crate::{c::C, d};\n"),
        ("c", "mod e;\nfn c(b: super::a::B) { e::f() }\n"),
        ("c/e", "// use super::c;\nuse std::fmt;\n"),
        ("d", "use crate::a::B as Other;\n#[cfg(test)]\nmod tests {\n}\n"),
    ];
    let files = texts.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().collect();
    assert_eq!(imports::cycles(&imports::graph(&files)), [["a/b", "c", "d"]]);
}

#[test]
fn only_the_adapter_names_the_host() {
    for (file, text) in sources() {
        let is_adapter = module_of(&file).is_some_and(|module| module == "wasm");
        assert!(is_adapter || !text.contains("proxy_wasm"), "{}", file.display());
    }
}

#[test]
fn the_runtime_and_the_core_ask_nobody_for_time_or_chance() {
    for (file, text) in sources() {
        let is_core = module_of(&file).is_some_and(|module| layer(&module) > layer("cli") && module != "config");
        for call in ["SystemTime::now", "Instant::now", "getrandom", "std::env", "std::fs"] {
            assert!(!is_core || !without_tests(&text).contains(call), "{} names {call}", file.display());
        }
    }
}

#[test]
fn every_file_says_in_its_first_line_why_it_exists() {
    for (file, text) in sources() {
        assert!(text.starts_with("//! "), "{}", file.display());
    }
}

/// Whoever reads a name, in a log of changes or an error of the compiler, knows of what it is.
#[test]
fn a_type_has_a_name_of_its_own() {
    let mut files = BTreeMap::<String, Vec<PathBuf>>::new();
    for (file, text) in sources().into_iter().filter(|(file, _)| !file.ends_with("tests.rs")) {
        for name in types(without_tests(&text)) {
            files.entry(name).or_default().push(file.clone());
        }
    }
    assert!(files.contains_key("Endpoint"), "types are not seen");
    files.retain(|_, files| files.len() > 1);
    assert!(files.is_empty(), "{files:#?}");
}

/// What is defined as a type or a trait, but for the types that belong to one.
fn types(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let definition = if line.starts_with("pub") { line.split_once(' ')?.1 } else { line };
        let (kind, name) = definition.split_once(' ')?;
        ["struct", "enum", "trait", "type"].contains(&kind).then(|| name_at(name))
    })
}

fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

fn layer(module: &str) -> usize {
    let at = LAYERS.iter().position(|modules| modules.contains(&module));
    at.unwrap_or_else(|| panic!("{module} is in no layer"))
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    assert!(files.len() > 30, "the sources are elsewhere");
    files.into_iter().map(|file| (file.clone(), fs::read_to_string(file).unwrap())).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The top-level module that a file belongs to; None for the two roots.
fn module_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    let module = first.trim_end_matches(".rs");
    (!["lib", "main"].contains(&module)).then(|| module.to_owned())
}

/// The top-level modules that a file names after `crate::`, in a list or alone.
fn imports(text: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for after in text.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(list) => modules.extend(names_in_list(list)),
            None => modules.push(name_at(after)),
        }
    }
    modules
}

/// The names at the outermost depth of `a::{b, c}, d}…`.
fn names_in_list(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (1, Vec::new(), 0);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                names.push(name_at(list.get(start..at).unwrap()));
                start = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            names.push(name_at(list.get(start..at).unwrap()));
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn name_at(text: &str) -> String {
    text.trim_start().chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}
