//! Which files of the crate import which, as their texts say.

use std::collections::{BTreeMap, BTreeSet};

/// Texts by the paths of their modules: `a/b` for `crate::a::b`.
pub type Files = BTreeMap<String, String>;

/// Which files each file imports. What is re-exported counts as imported from where it is defined, and a re-export as no import.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// What a module calls something, and the path that it stands for there.
type Aliases = BTreeMap<(String, String), String>;

pub fn graph(files: &Files) -> Graph {
    let parsed: BTreeMap<&String, Parsed> = files.iter().map(|(file, text)| (file, parse(text))).collect();
    let aliases = parsed.iter().flat_map(|(file, parsed)| {
        parsed.imports.iter().chain(&parsed.exports).map(|path| (((*file).clone(), alias(path)), real(path)))
    });
    let aliases = aliases.collect();
    let imported = |file: &String, parsed: &Parsed| -> BTreeSet<String> {
        let paths = parsed.imports.iter().map(|path| real(path)).chain(parsed.paths.iter().cloned());
        let imported = paths.filter_map(|path| resolve(files, &aliases, file, &path, 0));
        imported.filter(|other| other != file).collect()
    };
    parsed.iter().map(|(file, parsed)| ((*file).clone(), imported(file, parsed))).collect()
}

/// Groups of files of which each imports all others of its group, by way of one another.
pub fn cycles(graph: &Graph) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|file| (file, reach(graph, file))).collect();
    let group = |file: &String| -> Vec<String> {
        reached[file].iter().filter(|other| reached[other].contains(file)).cloned().collect()
    };
    let groups: BTreeSet<Vec<String>> = graph.keys().map(group).filter(|group| group.len() > 1).collect();
    groups.into_iter().collect()
}

fn reach(graph: &Graph, from: &String) -> BTreeSet<String> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        next.extend(graph[file].iter().filter(|other| reached.insert((*other).clone())));
    }
    reached
}

#[derive(Default)]
struct Parsed {
    imports: Vec<String>,
    exports: Vec<String>,
    paths: Vec<String>,
}

fn parse(text: &str) -> Parsed {
    let code: Vec<_> = without_tests(text).lines().map(|line| line.split("//").next().unwrap()).collect();
    let mut parsed = Parsed::default();
    for statement in code.join("\n").split_inclusive(';') {
        let (head, import) = statement.split_once("use ").unwrap_or((statement, ""));
        let starts = head.lines().last().is_none_or(|line| line.trim().is_empty() || line.trim().starts_with("pub"));
        let is_import = starts && import.ends_with(';') && !import.contains('=') && !import.contains('(');
        if !is_import {
            parsed.paths.extend(paths(statement));
        } else if head.lines().last().is_some_and(|line| line.contains("pub")) {
            parsed.exports.extend(expand(import.trim_end_matches(';')));
            parsed.paths.extend(paths(head));
        } else {
            parsed.imports.extend(expand(import.trim_end_matches(';')));
            parsed.paths.extend(paths(head));
        }
    }
    parsed
}

fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((prefix, list)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let (mut depth, mut branches) = (0, vec![String::new()]);
    for character in list.chars() {
        depth += i32::from(character == '{') - i32::from(character == '}');
        match character {
            ',' if depth == 0 => branches.push(String::new()),
            _ => branches.last_mut().unwrap().push(character),
        }
    }
    let branches = branches.iter().filter(|branch| !branch.trim().is_empty());
    branches.flat_map(|branch| expand(branch)).map(|path| format!("{prefix}{path}")).collect()
}

/// Whatever has `::` in it.
fn paths(code: &str) -> Vec<String> {
    let is_part = |character: char| character.is_alphanumeric() || "_:".contains(character);
    let words = code.split(|character| !is_part(character)).map(|word| word.trim_matches(':'));
    words.filter(|word| word.contains("::")).map(str::to_owned).collect()
}

fn real(path: &str) -> String {
    path.split(" as ").next().unwrap().trim().to_owned()
}

fn alias(path: &str) -> String {
    let path = real(path);
    let path = path.strip_suffix("::self").unwrap_or(&path);
    path.rsplit("::").next().unwrap().to_owned()
}

fn resolve(files: &Files, aliases: &Aliases, from: &str, path: &str, depth: usize) -> Option<String> {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut here = from.to_owned();
    match *parts.first()? {
        "crate" => here.clear(),
        "self" => {}
        "super" => {
            while parts.get(1) == Some(&"super") {
                here = parent(&here);
                parts.remove(0);
            }
            here = parent(&here);
        }
        first if files.contains_key(&join(from, first)) => parts.insert(0, "self"),
        first => {
            let alias = aliases.get(&(from.to_owned(), first.to_owned())).filter(|_| parts.len() > 1 && depth < 8)?;
            let rest = parts[1..].join("::");
            return resolve(files, aliases, from, &format!("{alias}::{rest}"), depth + 1);
        }
    }
    for (at, part) in parts.iter().enumerate().skip(1) {
        let next = join(&here, part);
        if files.contains_key(&next) {
            here = next;
        } else if let Some(alias) = aliases.get(&(here.clone(), (*part).to_owned())).filter(|_| depth < 8) {
            let path = [alias.clone()].into_iter().chain(parts[at + 1..].iter().map(|part| (*part).to_owned()));
            let path = path.collect::<Vec<_>>().join("::");
            return resolve(files, aliases, &here, &path, depth + 1).or(Some(here));
        } else {
            break;
        }
    }
    files.contains_key(&here).then_some(here)
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}/{name}") }
}

fn parent(module: &str) -> String {
    module.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned())
}
