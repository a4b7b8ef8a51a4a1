//! Signing keys, the signatures they make and those that they recognise (RFC 7515, RFC 7518): one key, one algorithm,
//! one public JWK.

use std::{borrow::Cow, fmt};

use jwt_simple::{
    JWTError,
    algorithms::{ECDSAP256KeyPairLike, ES256KeyPair, Ed25519KeyPair, EdDSAKeyPairLike, RS256KeyPair, RSAKeyPairLike},
};
use p256::ecdsa::{
    Signature,
    signature::{Signer as _, Verifier as _},
};
use serde::{Deserialize, Serialize};
use superboring::{
    hash::MessageDigest,
    pkey::{PKey, Private, Public},
    rsa::Padding,
    sign::{Signer, Verifier},
};
use zeroize::Zeroizing;

/// A JWS `alg` that this program signs with (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// A private key with its `kid`.
pub struct SigningKey {
    kid: String,
    jwk: String,
    pair: KeyPair,
}

enum KeyPair {
    RS256 { pair: Box<RS256KeyPair>, private: Box<PKey<Private>>, public: Box<PKey<Public>>, der: Zeroizing<Vec<u8>> },
    ES256(Box<ES256KeyPair>),
    EdDSA(Box<Ed25519KeyPair>),
}

/// Why a text can't be a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// Not a PEM private key of the algorithm.
    Malformed(Algorithm),
    /// An RSA modulus of less than 2048 bits (RFC 7518 §3.3).
    Weak,
    /// An RSA key that is too large, or whose exponent is not 65537.
    Unsupported,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(Algorithm::RS256) => f.write_str("not a PEM RSA private key (PKCS#8 or PKCS#1)"),
            Self::Malformed(Algorithm::ES256) => f.write_str("not a PEM P-256 private key (PKCS#8)"),
            Self::Malformed(Algorithm::EdDSA) => f.write_str("not a PEM Ed25519 private key (PKCS#8)"),
            Self::Weak => f.write_str("an RSA key of less than 2048 bits"),
            Self::Unsupported => {
                f.write_str("an RSA key of more than 4096 bits, or with a public exponent other than 65537")
            }
        }
    }
}

impl SigningKey {
    /// Reads a PEM private key: PKCS#8, and PKCS#1 for RSA. Without a `kid` it gets the RFC 7638 thumbprint.
    pub fn from_pem(algorithm: Algorithm, pem: &str, kid: Option<String>) -> Result<Self, InvalidKey> {
        let malformed = |_| InvalidKey::Malformed(algorithm);
        let pair = match algorithm {
            Algorithm::RS256 => rs256(pem)?,
            Algorithm::ES256 => KeyPair::ES256(Box::new(ES256KeyPair::from_pem(pem.trim()).map_err(malformed)?)),
            Algorithm::EdDSA => KeyPair::EdDSA(Box::new(Ed25519KeyPair::from_pem(pem.trim()).map_err(malformed)?)),
        };
        Ok(Self::new(pair, kid))
    }

    fn new(pair: KeyPair, kid: Option<String>) -> Self {
        let kid = kid.unwrap_or_else(|| pair.thumbprint());
        let jwk = pair.public_jwk(&kid);
        Self { kid, jwk, pair }
    }

    /// The key's identifier, `kid` in headers and JWKs (RFC 7515 §4.1.4).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the key signs with.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self.pair {
            KeyPair::RS256 { .. } => Algorithm::RS256,
            KeyPair::ES256(_) => Algorithm::ES256,
            KeyPair::EdDSA(_) => Algorithm::EdDSA,
        }
    }

    /// The public key as a JWK in JSON (RFC 7517), with no private member.
    pub fn public_jwk(&self) -> &str {
        &self.jwk
    }

    /// The RSA private key as DER, for a host that signs faster than WebAssembly can; None for other algorithms,
    /// which are quick here.
    pub(crate) fn rsa_der(&self) -> Option<&[u8]> {
        match &self.pair {
            KeyPair::RS256 { der, .. } => Some(der),
            _ => None,
        }
    }

    /// The public key as SPKI, for a host that verifies faster than WebAssembly can; None for Ed25519, which hosts don't take.
    pub(crate) fn spki(&self) -> Option<Vec<u8>> {
        match &self.pair {
            KeyPair::RS256 { pair, .. } => pair.public_key().to_der().ok(),
            KeyPair::ES256(pair) => pair.public_key().to_der().ok(),
            KeyPair::EdDSA(_) => None,
        }
    }

    /// A JWS signature in the form that X.509 has: of ECDSA, DER instead of both numbers side by side (RFC 7518 §3.4). None if it
    /// is no signature.
    pub(crate) fn x509_signature<'a>(&self, signature: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match &self.pair {
            KeyPair::ES256(_) => Some(Signature::from_slice(signature).ok()?.to_der().as_bytes().to_vec().into()),
            KeyPair::RS256 { .. } | KeyPair::EdDSA(_) => Some(signature.into()),
        }
    }

    /// The signature of `input` in the form that JWS wants. None if the library fails.
    pub fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            KeyPair::RS256 { private, .. } => sign_rs256(private, input),
            KeyPair::ES256(pair) => {
                let signature: Signature = pair.key_pair().as_ref().try_sign(input).ok()?;
                Some(signature.to_vec())
            }
            KeyPair::EdDSA(pair) => Some(pair.key_pair().as_ref().sk.sign(input, None).to_vec()),
        }
    }

    /// Whether this key made the signature of `input`, which is in the form that JWS has.
    pub fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        match &self.pair {
            KeyPair::RS256 { public, .. } => verify_rs256(public, input, signature).unwrap_or(false),
            KeyPair::ES256(pair) => {
                let key = pair.key_pair().as_ref().verifying_key();
                Signature::from_slice(signature).is_ok_and(|signature| key.verify(input, &signature).is_ok())
            }
            KeyPair::EdDSA(pair) => {
                let signature = ed25519_compact::Signature::from_slice(signature);
                signature.is_ok_and(|signature| pair.key_pair().as_ref().pk.verify(input, &signature).is_ok())
            }
        }
    }
}

/// The public halves of keys as a JWK Set (RFC 7517 §5).
pub(crate) fn jwk_set<'a>(keys: impl Iterator<Item = &'a SigningKey>) -> String {
    let keys: Vec<&str> = keys.map(SigningKey::public_jwk).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?}, kid {:?})", self.algorithm(), self.kid)
    }
}

impl KeyPair {
    fn thumbprint(&self) -> String {
        match self {
            Self::RS256 { pair, .. } => pair.jwk_thumbprint(),
            Self::ES256(pair) => pair.jwk_thumbprint(),
            Self::EdDSA(pair) => pair.jwk_thumbprint(),
        }
    }

    fn public_jwk(&self, kid: &str) -> String {
        match self {
            Self::RS256 { pair, .. } => pair.public_key().with_key_id(kid).to_jwk(),
            Self::ES256(pair) => pair.public_key().with_key_id(kid).to_jwk(),
            Self::EdDSA(pair) => pair.public_key().with_key_id(kid).to_jwk(),
        }
    }
}

fn rs256(pem: &str) -> Result<KeyPair, InvalidKey> {
    let pair = RS256KeyPair::from_pem(pem).map_err(|error| match error.downcast_ref() {
        Some(JWTError::WeakKey) => InvalidKey::Weak,
        Some(JWTError::UnsupportedRSAModulus) => InvalidKey::Unsupported,
        _ => InvalidKey::Malformed(Algorithm::RS256),
    })?;
    let malformed = InvalidKey::Malformed(Algorithm::RS256);
    let der = pair.to_der().map_err(|_| malformed)?;
    let public = pair.key_pair().as_ref().public_key().and_then(PKey::from_rsa).map_err(|_| malformed)?;
    let private = PKey::from_rsa(pair.key_pair().as_ref().clone()).map_err(|_| malformed)?;
    let (pair, private, public) = (Box::new(pair), Box::new(private), Box::new(public));
    Ok(KeyPair::RS256 { pair, private, public, der: Zeroizing::new(der) })
}

fn sign_rs256(key: &PKey<Private>, input: &[u8]) -> Option<Vec<u8>> {
    let mut signer = Signer::new(MessageDigest::sha256(), key).ok()?;
    signer.set_rsa_padding(Padding::PKCS1).ok()?;
    signer.update(input).ok()?;
    signer.sign_to_vec().ok()
}

fn verify_rs256(key: &PKey<Public>, input: &[u8], signature: &[u8]) -> Option<bool> {
    let mut verifier = Verifier::new(MessageDigest::sha256(), key).ok()?;
    verifier.set_rsa_padding(Padding::PKCS1).ok()?;
    verifier.update(input).ok()?;
    verifier.verify(signature).ok()
}
