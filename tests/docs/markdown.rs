//! A page of the documentation, as far as tests look at it: its headings, links, tables and fenced blocks.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A page, by its path in the repository.
pub struct Page {
    pub path: PathBuf,
    text: String,
}

/// What stands between two fences.
#[derive(Debug)]
pub struct Block {
    /// Where it begins.
    pub line: usize,
    /// The first word behind the fence; empty if there is none.
    pub language: String,
    /// The second.
    pub name: Option<String>,
    pub text: String,
}

impl Page {
    pub fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(repository().join(&path)).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        Self { path, text }
    }

    /// A page that is not in the repository.
    pub fn of(text: &str) -> Self {
        Self { path: "PAGE.md".into(), text: text.to_owned() }
    }

    /// All pages of the repository.
    pub fn all() -> Vec<Self> {
        let mut paths = Vec::new();
        for folder in ["", "docs", "envoy"] {
            collect(&repository().join(folder), !folder.is_empty(), &mut paths);
        }
        paths.sort();
        paths.into_iter().map(|path| Self::read(path.strip_prefix(repository()).unwrap())).collect()
    }

    /// Its fenced blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut indent = None;
        for (number, line) in self.text.lines().enumerate() {
            match (indent, line.trim_start().strip_prefix("```")) {
                (None, Some(info)) => {
                    let mut words = info.split_whitespace().map(str::to_owned);
                    let (language, name) = (words.next().unwrap_or_default(), words.next());
                    blocks.push(Block { line: number + 1, language, name, text: String::new() });
                    indent = Some(line.len() - line.trim_start().len());
                }
                (Some(_), Some(_)) => indent = None,
                (Some(indent), None) => {
                    let block = blocks.last_mut().unwrap();
                    block.text += line.get(indent..).unwrap_or_default();
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(indent.is_none(), "{:?}: a fence is open at its end", self.path);
        blocks
    }

    /// What its headings are called in links.
    pub fn anchors(&self) -> BTreeSet<String> {
        self.prose().filter_map(|line| Some(anchor(line.trim_start_matches('#').strip_prefix(' ')?))).collect()
    }

    /// Where its links to other files and to headings lead.
    pub fn links(&self) -> Vec<String> {
        let prose: Vec<_> = self.prose().collect();
        let prose = prose.join("\n");
        let targets = prose.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned());
        targets.filter(|target| !target.contains("://")).collect()
    }

    /// The rows of the tables under a heading, without their heads, as cells.
    pub fn rows(&self, heading: &str) -> Vec<Vec<String>> {
        let mut section = self.prose().skip_while(|line| line.trim_start_matches('#').trim() != heading).peekable();
        assert!(section.peek().is_some(), "{:?} has no heading {heading:?}", self.path);
        let section: Vec<_> = section.skip(1).take_while(|line| !line.starts_with('#')).collect();
        let is_head = |line: usize| section.get(line + 1).is_some_and(|next| next.starts_with("| ---"));
        let rows = section
            .iter()
            .enumerate()
            .filter(|(at, line)| line.starts_with('|') && !line.starts_with("| ---") && !is_head(*at));
        rows.map(|(_, line)| cells(line)).collect()
    }

    /// All that it writes as code, in a line of text or a cell.
    pub fn codes(&self) -> Vec<String> {
        self.prose().flat_map(codes).collect()
    }

    /// Its lines outside of fenced blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut is_fenced = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            is_fenced ^= is_fence;
            !is_fenced && !is_fence
        })
    }
}

/// What is written as code in a text.
pub fn codes(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_matches('|').replace("\\|", "\u{1}");
    row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// As GitHub makes them: small letters, digits and hyphens.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.flat_map(char::to_lowercase).map(|character| if character == ' ' { '-' } else { character }).collect()
}

fn collect(folder: &Path, deep: bool, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
        let path = entry.unwrap().path();
        if path.is_dir() && deep {
            collect(&path, deep, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}
