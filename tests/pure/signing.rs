//! Signing keys against the vectors of the standards, whose source is named at each.

use ct_codecs::{Base64UrlSafeNoPadding as Base64, Decoder, Encoder};
use jsonwebtoken::{DecodingKey, crypto, jwk::Jwk};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use token_endpoint::crypto::jws::{Algorithm, InvalidKey, SigningKey};

const RSA_PKCS1: &str = include_str!("../vectors/rfc7515-a2.pkcs1.pem");
const RSA_PKCS8: &str = include_str!("../vectors/rfc7515-a2.pkcs8.pem");
const P256: &str = include_str!("../vectors/rfc7515-a3.pem");
const ED25519: &str = include_str!("../vectors/rfc8037-a1.pem");
const WEAK_RSA: &str = include_str!("../vectors/weak-rsa-1024.pem");

fn key(algorithm: Algorithm, pem: &str) -> SigningKey {
    SigningKey::from_pem(algorithm, pem, None).unwrap()
}

fn signature(key: &SigningKey, input: &str) -> String {
    Base64::encode_to_string(key.sign(input.as_bytes()).unwrap()).unwrap()
}

/// RFC 7515 appendix A.2.1.
#[test]
fn rs256_gives_the_bytes_of_rfc_7515_from_pkcs1_and_pkcs8() {
    let input = "eyJhbGciOiJSUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let expected = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5juj\
        Gbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_e\
        SN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkW\
        ywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    for pem in [RSA_PKCS1, RSA_PKCS8] {
        assert_eq!(signature(&key(Algorithm::RS256, pem), input), expected);
    }
}

/// RFC 8037 appendix A.4.
#[test]
fn eddsa_gives_the_bytes_of_rfc_8037() {
    let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(signature(&key(Algorithm::EdDSA, ED25519), input), expected);
}

/// RFC 7515 appendix A.3.1 has the key; its signature has chance in it, so another library verifies ours.
#[test]
fn every_signature_verifies_with_the_published_key_in_another_library() {
    let keys = [(Algorithm::RS256, RSA_PKCS8), (Algorithm::ES256, P256), (Algorithm::EdDSA, ED25519)];
    let names = [jsonwebtoken::Algorithm::RS256, jsonwebtoken::Algorithm::ES256, jsonwebtoken::Algorithm::EdDSA];
    for ((algorithm, pem), name) in keys.into_iter().zip(names) {
        let key = key(algorithm, pem);
        let jwk: Jwk = serde_json::from_str(key.public_jwk()).unwrap();
        let verifier = DecodingKey::from_jwk(&jwk).unwrap();
        let made = signature(&key, "input");
        assert!(crypto::verify(&made, b"input", &verifier, name).unwrap(), "{algorithm:?}");
        assert!(!crypto::verify(&made, b"Input", &verifier, name).unwrap(), "{algorithm:?}");
    }
}

/// RFC 7515 appendices A.2.1 and A.3.1, RFC 8037 appendix A.4.
#[test]
fn a_key_recognises_the_signatures_of_the_rfcs_and_no_others() {
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rs256 = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5juj\
        Gbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_e\
        SN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkW\
        ywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let es256 = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let eddsa = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let cases = [
        (Algorithm::RS256, RSA_PKCS8, format!("eyJhbGciOiJSUzI1NiJ9.{claims}"), rs256),
        (Algorithm::ES256, P256, format!("eyJhbGciOiJFUzI1NiJ9.{claims}"), es256),
        (Algorithm::EdDSA, ED25519, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(), eddsa),
    ];
    for (algorithm, pem, input, signature) in cases {
        let key = key(algorithm, pem);
        let signature = Base64::decode_to_vec(signature, None).unwrap();
        assert!(key.verifies(input.as_bytes(), &signature), "{algorithm:?}");
        assert!(!key.verifies(&input.as_bytes()[1..], &signature), "{algorithm:?}");
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert!(!key.verifies(input.as_bytes(), &changed), "{algorithm:?}, byte {at}");
        }
        for length in [0, 1, 63, 64, 65, 255, 256, 257, 512, 70_000] {
            for byte in [0, 1, 0xff] {
                assert!(!key.verifies(input.as_bytes(), &vec![byte; length]), "{algorithm:?}, {length} times {byte}");
            }
        }
    }
}

/// RFC 7638 §3.1: SHA-256 of the required members in the order of their names.
fn thumbprint(jwk: &Value) -> String {
    let names: &[&str] = match jwk["kty"].as_str().unwrap() {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        _ => &["crv", "kty", "x"],
    };
    let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":{}", jwk[name])).collect();
    Base64::encode_to_string(Sha256::digest(format!("{{{}}}", members.join(",")))).unwrap()
}

#[test]
fn a_key_without_a_kid_is_named_by_its_rfc_7638_thumbprint() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
        FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d\
        0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-cs\
        FCur-kEgU8awapJzKnqDKgw";
    let example = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    assert_eq!(thumbprint(&example), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "the example of RFC 7638 §3.1");

    for (algorithm, pem) in [(Algorithm::RS256, RSA_PKCS8), (Algorithm::ES256, P256), (Algorithm::EdDSA, ED25519)] {
        let key = key(algorithm, pem);
        let jwk: Value = serde_json::from_str(key.public_jwk()).unwrap();
        assert_eq!(key.kid(), thumbprint(&jwk));
        assert_eq!(jwk["kid"], key.kid());
    }
    assert_eq!(key(Algorithm::EdDSA, ED25519).kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "RFC 8037 A.3");
}

#[test]
fn a_kid_that_was_given_is_kept() {
    let key = SigningKey::from_pem(Algorithm::ES256, P256, Some("mine".to_owned())).unwrap();
    assert_eq!(key.kid(), "mine");
    assert!(key.public_jwk().contains(r#""kid":"mine""#));
}

/// RFC 7517 §9.2 and RFC 7518 §6: d, p, q, dp, dq, qi, oth and k are private.
#[test]
fn a_published_key_has_no_private_member() {
    for (algorithm, pem) in [(Algorithm::RS256, RSA_PKCS1), (Algorithm::ES256, P256), (Algorithm::EdDSA, ED25519)] {
        let jwk: Value = serde_json::from_str(key(algorithm, pem).public_jwk()).unwrap();
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(jwk.get(private), None, "{algorithm:?}");
        }
    }
}

#[test]
fn a_key_of_another_kind_or_too_weak_is_refused() {
    let refused = |algorithm, pem| SigningKey::from_pem(algorithm, pem, None).err();
    assert_eq!(refused(Algorithm::RS256, WEAK_RSA), Some(InvalidKey::Weak));
    assert_eq!(refused(Algorithm::RS256, P256), Some(InvalidKey::Malformed(Algorithm::RS256)));
    assert_eq!(refused(Algorithm::ES256, ED25519), Some(InvalidKey::Malformed(Algorithm::ES256)));
    assert_eq!(refused(Algorithm::EdDSA, RSA_PKCS8), Some(InvalidKey::Malformed(Algorithm::EdDSA)));
    assert_eq!(refused(Algorithm::ES256, ""), Some(InvalidKey::Malformed(Algorithm::ES256)));
}

#[test]
fn a_key_shows_nothing_but_its_name() {
    let shown = format!("{:?}", key(Algorithm::ES256, P256));
    let private = Base64::decode_to_vec("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", None).unwrap();
    assert!(shown.starts_with("SigningKey(ES256, kid "), "{shown}");
    assert!(!shown.contains("jpsQnn") && !shown.contains(&format!("{private:?}")), "{shown}");
}
