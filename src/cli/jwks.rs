//! `jwks`: the public half of keys, for whoever verifies tokens without asking the gateway.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, builder::PossibleValue};
use zeroize::Zeroizing;

use super::{Output, failure::Failure, input};
use crate::crypto::jws::{Algorithm, InvalidKey, SigningKey, jwk_set};

/// Print the public keys of private key files, as `/oauth2/jwks` serves them
///
/// Each key has its RFC 7638 thumbprint as `kid`, as it has in a configuration that gives
/// it no other.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLE)]
pub(super) struct Jwks {
    /// PEM private keys; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the keys are for, if it is not to be found out from them
    #[arg(long)]
    algorithm: Option<Algorithm>,
}

const EXAMPLE: &str = "\
Example:
  token-endpoint jwks signing-key.pem > jwks.json";

impl Jwks {
    /// Prints a JWK Set (RFC 7517 section 5).
    pub(super) fn run(self) -> Result<Output, Failure> {
        let read = |path| read(path, self.algorithm);
        let keys = self.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Zeroizing::new(jwk_set(keys.iter())))
    }
}

fn read(path: &Path, algorithm: Option<Algorithm>) -> Result<SigningKey, Failure> {
    let pem = input::file(path)?;
    let key = match algorithm {
        Some(algorithm) => SigningKey::from_pem(algorithm, &pem, None).map_err(|invalid| invalid.to_string()),
        None => detect(&pem),
    };
    key.map_err(|what| Failure::Bad(format!("{}: {what}", path.display())))
}

fn detect(pem: &str) -> Result<SigningKey, String> {
    let malformed = || "not a PEM private key for RS256, ES256 or EdDSA".to_owned();
    let mut tries = Algorithm::value_variants().iter().map(|algorithm| SigningKey::from_pem(*algorithm, pem, None));
    let recognised = tries.find(|read| !matches!(read, Err(InvalidKey::Malformed(_))));
    recognised.ok_or_else(malformed)?.map_err(|invalid| invalid.to_string())
}

impl ValueEnum for Algorithm {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::RS256, Self::ES256, Self::EdDSA]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
        }))
    }
}
