//! `schema`: what editors complete and check a configuration by, and what people read of it.

mod form;
mod reference;

use clap::Args;
use zeroize::Zeroizing;

use super::{Output, failure::Failure};
use crate::config::schema::schema;

/// Print the JSON Schema of configurations, which editors complete and check them by
///
/// It finds unknown and missing fields and values of a wrong form. Only check-config finds all that can
/// be wrong.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLE)]
pub(super) struct PrintSchema {
    /// Print the same as a page for people: each field with its type, its default and its meaning
    #[arg(long)]
    reference: bool,
}

const EXAMPLE: &str = "\
Example:
  token-endpoint schema > token-endpoint.schema.json

A YAML file whose first line is
  # yaml-language-server: $schema=token-endpoint.schema.json
and that holds nothing but a token endpoint's configuration is then completed and checked as it is written.";

impl PrintSchema {
    /// Prints a JSON Schema in draft 7, or a page in Markdown.
    pub(super) fn run(self) -> Result<Output, Failure> {
        let schema = schema();
        let output = if self.reference { reference::page(&schema) } else { format!("{schema:#}") };
        Ok(Zeroizing::new(output))
    }
}
