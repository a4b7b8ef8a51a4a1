//! The keys of a configuration: those that sign and those that seal.

use std::{collections::HashSet, sync::Arc};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    Environment,
    document::{Node, Object},
    setting::Text,
};
use crate::{
    crypto::{
        jws::{Algorithm, SigningKey},
        seal::{SealKey, Sealer},
    },
    secret::Secret,
};

/// What the signing keys of a configuration amount to.
pub struct SigningKeys {
    pub signing_key: Arc<SigningKey>,
    pub jwks: String,
    pub decoy_key: [u8; 32],
}

/// Reads `signing_keys`, the first of which signs.
pub fn signing_keys(object: &mut Object, environment: Environment) -> Option<SigningKeys> {
    let mut kids = HashSet::new();
    let keys = object.each_of_some("signing_keys", |node| {
        let (key, pem) = node.object(|object| signing_key(object, environment))??;
        if !kids.insert(key.kid().to_owned()) {
            node.problem("a key with the same kid as another");
        }
        Some((key, pem))
    });
    let jwks = jwks(keys.iter().map(|(key, _)| key));
    let (signing_key, pem) = keys.into_iter().next()?;
    Some(SigningKeys { signing_key: Arc::new(signing_key), jwks, decoy_key: decoy_key(&pem) })
}

/// Reads `refresh_token_keys`, the first of which seals. None if there are none.
pub fn sealer(object: &mut Object, environment: Environment) -> Option<Sealer> {
    let keys = object.with("refresh_token_keys", |node| node.each_of_some(|node| seal_key(node, environment)));
    keys.map(Sealer::new)
}

fn signing_key(object: &mut Object, environment: Environment) -> Option<(SigningKey, Zeroizing<String>)> {
    let algorithm = object.required::<Algorithm>("algorithm");
    let kid = object.optional("kid").map(|Text(kid)| kid);
    let pem = object.required_with("private_key", |node| secret(node, environment)).flatten()?;
    match SigningKey::from_pem(algorithm?, &pem, kid) {
        Ok(key) => Some((key, pem)),
        Err(invalid) => {
            object.problem("private_key", invalid.to_string());
            None
        }
    }
}

fn seal_key(node: Node, environment: Environment) -> Option<SealKey> {
    let text = secret(node, environment)?;
    let key = SealKey::parse(&Secret::new(text.as_bytes())).ok();
    if key.is_none() {
        node.problem("expected 32 bytes in base64url");
    }
    key
}

/// A secret: written there, or `{"env": "NAME"}` for one that the VM is given in its environment.
pub fn secret(node: Node, environment: Environment) -> Option<Zeroizing<String>> {
    if !node.is_object() {
        return node.read().map(|Text(text)| Zeroizing::new(text));
    }
    let Text(name) = node.object(|object| object.required("env"))??;
    let value = environment(&name).filter(|value| !value.is_empty()).map(Zeroizing::new);
    if value.is_none() {
        node.problem("an environment variable that is not given to the VM, or is empty");
    }
    value
}

/// A JWK Set (RFC 7517 §5).
fn jwks<'a>(keys: impl Iterator<Item = &'a SigningKey>) -> String {
    let keys: Vec<&str> = keys.map(SigningKey::public_jwk).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// All proxies with the same keys make the same decoys, so that they can't be told from users by asking two of them.
fn decoy_key(pem: &str) -> [u8; 32] {
    Sha256::new().chain_update("token-endpoint decoy 1 ").chain_update(pem.trim()).finalize().into()
}
