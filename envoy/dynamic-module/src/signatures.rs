//! Signatures by AWS-LC: made in half a millisecond, and checked in a twentieth of one.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{self, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm},
};

/// Signs with the keys that it has seen.
#[derive(Default)]
pub(crate) struct Signatures {
    keys: RefCell<HashMap<Vec<u8>, Option<Rc<RsaKeyPair>>>>,
    random: SystemRandom,
}

/// The algorithm of RSA keys in a SubjectPublicKeyInfo (RFC 8017 appendix C), DER.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// The curve P-256 there (RFC 5480 §2.1.1.1), DER.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

impl Signatures {
    /// RSASSA-PKCS1-v1_5 with SHA-256, by a key in PKCS #8. None if it is no such key.
    pub(crate) fn sign(&self, private_key_der: &[u8], input: &[u8]) -> Option<Vec<u8>> {
        let key = self.key(private_key_der)?;
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&signature::RSA_PKCS1_SHA256, &self.random, input, &mut signature).ok()?;
        Some(signature)
    }

    /// A key is read once: that takes as long as a signature.
    fn key(&self, der: &[u8]) -> Option<Rc<RsaKeyPair>> {
        let mut keys = self.keys.borrow_mut();
        if !keys.contains_key(der) {
            let key = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok().map(Rc::new);
            keys.insert(der.to_vec(), key);
        }
        keys.get(der).cloned().flatten()
    }
}

/// Whether a signature with SHA-256 is good, by a public key in SubjectPublicKeyInfo. None if that is of another kind.
pub(crate) fn verify(public_key_der: &[u8], input: &[u8], signature: &[u8]) -> Option<bool> {
    let has = |oid: &[u8]| public_key_der.windows(oid.len()).any(|window| window == oid);
    let algorithm: &'static dyn VerificationAlgorithm = match () {
        () if has(RSA) => &signature::RSA_PKCS1_2048_8192_SHA256,
        () if has(P256) => &signature::ECDSA_P256_SHA256_ASN1,
        () => return None,
    };
    Some(UnparsedPublicKey::new(algorithm, public_key_der).verify(input, signature).is_ok())
}
