//! The ways in which a command fails, so that a script can tell them apart by the exit code.

use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Why a command failed, in words that hold no secret.
pub(crate) enum Failure {
    /// What was given is wrong.
    Bad(String),
    /// What was checked has problems: they are the command's output.
    Problems(String),
    /// The command line is wrong.
    Usage(String),
    /// A file, the terminal or the system failed.
    System(String),
}

impl Failure {
    /// Tells the operator, and the exit code to end with.
    pub(crate) fn report(self) -> ExitCode {
        // Where the words can't be written either, the exit code is all that is left to tell.
        let _ = match &self {
            Self::Problems(problems) => writeln!(io::stdout(), "{problems}"),
            Self::Bad(what) | Self::Usage(what) | Self::System(what) => {
                writeln!(io::stderr(), "token-endpoint: {what}")
            }
        };
        self.exit_code().into()
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Bad(_) | Self::Problems(_) => 1,
            Self::Usage(_) => 2,
            Self::System(_) => 3,
        }
    }
}
