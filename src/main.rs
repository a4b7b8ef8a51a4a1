//! The operator's tool is a program of its own, because hashes and keys are made before there is an Envoy to ask.

use std::process::ExitCode;

fn main() -> ExitCode {
    token_endpoint::cli::run()
}
