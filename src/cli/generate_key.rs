//! `generate-key`: keys of the kinds that a configuration takes, so that nobody needs to know the right openssl command.

use clap::{Args, ValueEnum};
use jwt_simple::algorithms::{ES256KeyPair, Ed25519KeyPair, RS256KeyPair};
use zeroize::Zeroizing;

use super::{Output, failure::Failure, input};
use crate::crypto::jws::Algorithm;

/// Generate a private key, for `signing_keys` or `refresh_token_keys`
///
/// A signing key is printed as PEM (PKCS#8), a key for refresh tokens as 32 random bytes
/// in base64url.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLE)]
pub(super) struct GenerateKey {
    /// What the key is for
    #[arg(long)]
    algorithm: Kind,
    /// Size of an RSA key [default: 2048]
    #[arg(long)]
    bits: Option<Bits>,
}

const EXAMPLE: &str = "\
Example:
  (umask 077; token-endpoint generate-key --algorithm RS256 > signing-key.pem)
  (umask 077; token-endpoint generate-key --algorithm refresh-token > refresh-token-key)";

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    #[value(name = "RS256")]
    RS256,
    #[value(name = "ES256")]
    ES256,
    #[value(name = "EdDSA")]
    EdDSA,
    RefreshToken,
}

/// Sizes of an RSA key.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Bits {
    #[value(name = "2048")]
    B2048 = 2048,
    #[value(name = "3072")]
    B3072 = 3072,
    #[value(name = "4096")]
    B4096 = 4096,
}

impl GenerateKey {
    /// Prints the key.
    pub(super) fn run(self) -> Result<Output, Failure> {
        match self.algorithm {
            Kind::RS256 => signing_key(Algorithm::RS256, self.bits),
            Kind::ES256 => signing_key(Algorithm::ES256, self.bits),
            Kind::EdDSA => signing_key(Algorithm::EdDSA, self.bits),
            Kind::RefreshToken if self.bits.is_some() => Err(only_rsa_has_bits()),
            Kind::RefreshToken => input::random_text(),
        }
    }
}

/// A fresh private key as PEM (PKCS#8); `bits` are an RSA key's.
pub(super) fn signing_key(algorithm: Algorithm, bits: Option<Bits>) -> Result<Output, Failure> {
    let pem = match (algorithm, bits) {
        (Algorithm::RS256, bits) => {
            RS256KeyPair::generate(bits.unwrap_or(Bits::B2048) as usize).and_then(|pair| pair.to_pem())
        }
        (_, Some(_)) => return Err(only_rsa_has_bits()),
        (Algorithm::ES256, None) => ES256KeyPair::generate().to_pem(),
        (Algorithm::EdDSA, None) => Ok(private_part(Ed25519KeyPair::generate().to_pem())),
    };
    pem.map(Zeroizing::new).map_err(|_| Failure::System("the key could not be made".to_owned()))
}

fn only_rsa_has_bits() -> Failure {
    Failure::Usage("--bits is for RS256 only".to_owned())
}

/// The library puts the public key below the private one.
fn private_part(mut pem: String) -> String {
    const END: &str = "-----END PRIVATE KEY-----";
    let end = pem.find(END).map_or(pem.len(), |at| at + END.len());
    pem.truncate(end);
    pem
}
