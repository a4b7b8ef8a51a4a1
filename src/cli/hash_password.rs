//! `hash-password`: a user's password is written into a configuration only as this hash.

use clap::Args;
use zeroize::Zeroizing;

use super::{
    Output,
    failure::Failure,
    input::{self, NoArguments},
};
use crate::crypto::password::{Argon2Cost, PasswordHash, hash_argon2id};

/// Hash a user's password with Argon2id, for `password_hash`
///
/// The password is typed twice without echo or, where standard input is no terminal,
/// read as its one line. The default cost is OWASP's first choice; one that a
/// configuration would refuse is refused here.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLE)]
pub(super) struct HashPassword {
    /// Memory in KiB
    #[arg(long, value_name = "M", default_value_t = Argon2Cost::default().memory)]
    memory_kib: u32,
    /// Passes over the memory
    #[arg(long, value_name = "T", default_value_t = Argon2Cost::default().passes)]
    iterations: u32,
    /// Lanes
    #[arg(long, value_name = "P", default_value_t = Argon2Cost::default().lanes)]
    parallelism: u32,
    #[command(flatten)]
    arguments: NoArguments,
}

const EXAMPLE: &str = "\
Example:
  token-endpoint hash-password
  token-endpoint hash-password --memory-kib 65536 --iterations 3 < password.txt";

impl HashPassword {
    /// Prints the hash as a PHC string.
    pub(super) fn run(self) -> Result<Output, Failure> {
        self.arguments.check()?;
        let cost = Argon2Cost { memory: self.memory_kib, passes: self.iterations, lanes: self.parallelism };
        check(cost)?;
        let password = input::secret("password")?;
        let salt = input::random()?;
        let hash = hash_argon2id(&password, &salt, cost);
        hash.map(Zeroizing::new).map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// Asks the configuration's own reader, before a password is typed for nothing.
fn check(cost: Argon2Cost) -> Result<(), Failure> {
    let Argon2Cost { memory, passes, lanes } = cost;
    let example =
        format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA");
    match PasswordHash::parse(&example) {
        Ok(hash) if hash.is_weak() => Err(Failure::Usage("a cost below OWASP's minimum".to_owned())),
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Usage(error.to_string())),
    }
}
