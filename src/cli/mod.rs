//! The operator's tool: makes the hashes and keys that a configuration needs, and checks it before Envoy has to.

#[allow(unreachable_pub, reason = "the checks of a file are changed elsewhere now")]
pub mod check_config;
mod failure;
mod generate_key;
mod hash_password;
mod hash_secret;
mod input;
mod jwks;
mod output;
mod rotate_key;
mod schema;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use self::{failure::Failure, output::Output};

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let printed = Cli::parse().command.run().and_then(|output| print(&output));
    printed.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}

/// Prepares and checks the configuration of token-endpoint, the OAuth token endpoint inside Envoy.
#[derive(Parser)]
#[command(name = "token-endpoint", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and nothing is wrong
  1  what was given is wrong: a configuration with problems, a short secret, a file that is no key
  2  the command line is wrong
  3  a file, the terminal or the system failed

No command takes a secret on its command line, where other users and the shell's history would see it.";

#[derive(Subcommand)]
enum Command {
    HashPassword(hash_password::HashPassword),
    HashSecret(hash_secret::HashSecret),
    GenerateKey(generate_key::GenerateKey),
    Jwks(jwks::Jwks),
    RotateKey(rotate_key::RotateKey),
    CheckConfig(check_config::CheckConfig),
    #[command(name = "schema")]
    PrintSchema(schema::PrintSchema),
}

impl Command {
    fn run(self) -> Result<Output, Failure> {
        match self {
            Self::HashPassword(command) => command.run(),
            Self::HashSecret(command) => command.run(),
            Self::GenerateKey(command) => command.run(),
            Self::Jwks(command) => command.run(),
            Self::RotateKey(command) => command.run(),
            Self::CheckConfig(command) => command.run(),
            Self::PrintSchema(command) => command.run(),
        }
    }
}

fn print(output: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{}", output.trim_end()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::System(format!("standard output: {error}")))
}
