//! What one call was given: files, read, and how a line about one of them begins.

use std::path::PathBuf;

use super::{
    document::Tree,
    plugin::{self, PluginDocument},
    reading,
};
use crate::cli::{failure::Failure, input};

/// The files of one call.
pub(crate) struct Files {
    names: Vec<String>,
    /// What is in them, in the order of the command line.
    pub(crate) trees: Vec<Tree>,
}

impl Files {
    /// Reads all.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let names = paths.iter().map(|path| path.display().to_string()).collect();
        let mut files = Self { names, trees: Vec::new() };
        for (file, path) in paths.iter().enumerate() {
            let text = input::file(path)?;
            let tree = reading::read(&text, path).map_err(|what| files.unreadable(file, &what))?;
            files.trees.push(tree);
        }
        Ok(files)
    }

    /// The token endpoints in them.
    pub(crate) fn plugins(&self) -> Result<Vec<PluginDocument>, Failure> {
        plugin::find(&self.trees).map_err(|what| Failure::Problems(format!("configuration: {what}")))
    }

    /// What a line about a file begins with: its name, where there are several.
    pub(crate) fn head(&self, file: usize) -> String {
        let name = self.names.get(file).filter(|_| self.names.len() > 1);
        name.map(|name| format!("{name}: ")).unwrap_or_default()
    }

    /// A problem with a file as a whole, told as one with a part of it is.
    fn unreadable(&self, file: usize, what: &str) -> Failure {
        Failure::Problems(format!("{}configuration: {what}", self.head(file)))
    }
}
