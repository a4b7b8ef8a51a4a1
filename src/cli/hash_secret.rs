//! `hash-secret`: a client's secret is written into a configuration only as this hash.

use clap::Args;
use zeroize::Zeroizing;

use super::{
    Output,
    failure::Failure,
    input::{self, NoArguments},
};
use crate::{crypto::client_secret::SecretHash, secret::Secret};

/// Hash a web client's secret, for `secret_hashes`
///
/// The secret is typed twice without echo or, where standard input is no terminal,
/// read as its one line. It must be made by a machine: its hash is a fast one, right
/// for 128 bits of chance and wrong for words that people choose (RFC 6749 section
/// 10.10). So one of less than 16 bytes is refused, and --generate makes a good one.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLE)]
pub(super) struct HashSecret {
    /// Make a fresh secret of 256 bits, and print it and its hash as two labelled lines
    #[arg(long)]
    generate: bool,
    #[command(flatten)]
    arguments: NoArguments,
}

const EXAMPLE: &str = "\
Example:
  token-endpoint hash-secret < secret.txt
  token-endpoint hash-secret --generate

With --generate, standard output is YAML that a script can take apart:
  secret: Qk0r…
  secret_hash: $sha256$…";

/// 128 bits, if the secret is random bytes.
const SHORTEST: usize = 16;

const TOO_SHORT: &str = "the secret has less than 16 bytes. A client's secret is made by a machine, never chosen \
    (RFC 6749 section 10.10): its hash is a fast one, which would not protect a short one. \
    hash-secret --generate makes a good one.";

impl HashSecret {
    /// Prints the hash; with `--generate` the secret too.
    pub(super) fn run(self) -> Result<Output, Failure> {
        self.arguments.check()?;
        if self.generate {
            return generated();
        }
        let secret = input::secret("secret")?;
        if secret.expose().len() < SHORTEST {
            return Err(Failure::Bad(TOO_SHORT.to_owned()));
        }
        hash(&secret).map(Zeroizing::new)
    }
}

fn generated() -> Result<Output, Failure> {
    let text = input::random_text()?;
    let hash = hash(&Secret::new(text.as_bytes()))?;
    Ok(Zeroizing::new(format!("secret: {}\nsecret_hash: {hash}", *text)))
}

fn hash(secret: &Secret) -> Result<String, Failure> {
    Ok(SecretHash::new(secret, *input::random()?).to_string())
}
