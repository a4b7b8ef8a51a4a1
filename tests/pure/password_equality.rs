//! Our resumable hashes against the crates that do it in one go: the same bytes for random parameters and budgets.

use std::sync::Arc;

use proptest::prelude::*;
use token_endpoint::crypto::password::{Arena, Budget, PasswordCheck, PasswordHash, Progress};
use token_endpoint::secret::Secret;

const CASES: u32 = 1_000;

fn base64(bytes: &[u8]) -> String {
    use ct_codecs::Encoder;
    ct_codecs::Base64NoPadding::encode_to_string(bytes).unwrap()
}

/// Runs the check with these budgets in turn, and counts the units asked for.
fn verify(hash: &PasswordHash, password: &[u8], budgets: &[u64], arena: Arena) -> (bool, Arena) {
    let check = PasswordCheck::new(Arc::new(hash.clone()), Secret::new(password));
    let mut verification = check.start(arena);
    for budget in budgets.iter().cycle() {
        if let Progress::Done { matches } = verification.advance(Budget(*budget)) {
            assert_eq!(verification.advance(Budget(1)), Progress::Done { matches });
            return (matches, verification.into_arena());
        }
    }
    unreachable!()
}

/// The right password matches with every way to pace it, a wrong one and the decoy never do.
fn check(text: &str, password: &[u8], wrong: &[u8], budgets: &[u64]) {
    let hash = PasswordHash::parse(text).unwrap();
    let mut arena = Arena::default();
    for budgets in [&[u64::MAX], &[1], budgets] {
        let (matches, used) = verify(&hash, password, budgets, arena);
        assert!(matches, "{text} {budgets:?}");
        arena = used;
    }
    let decoy = hash.decoy([7; 16]);
    assert_eq!((decoy.work(), decoy.memory()), (hash.work(), hash.memory()));
    for (hash, password) in [(&hash, wrong), (&decoy, password)] {
        let (matches, used) = verify(hash, password, &[u64::MAX], arena);
        assert!(!matches, "{text}");
        arena = used;
    }
}

fn password() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..100)
}

fn salt() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 8..=64)
}

fn budgets() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(0..100_u64, 1..20)
}

fn other(password: &[u8]) -> Vec<u8> {
    let mut other = password.to_vec();
    match other.first_mut() {
        Some(first) => *first ^= 1,
        None => other.push(1),
    }
    other
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn argon2_is_the_crate_argon2(
        variant in 0..3_usize, old in any::<bool>(), lanes in 1..=5_u32, extra in 0..200_u32, passes in 1..=4_u32,
        length in 16..=64_usize, password in password(), salt in salt(), budgets in budgets(),
    ) {
        use argon2::{Algorithm, Argon2, Params, Version};
        let (name, algorithm) = [
            ("argon2d", Algorithm::Argon2d), ("argon2i", Algorithm::Argon2i), ("argon2id", Algorithm::Argon2id),
        ][variant];
        let (written, version) = if old { ("", Version::V0x10) } else { ("v=19$", Version::V0x13) };
        let memory = 8 * lanes + extra;
        let params = Params::new(memory, passes, lanes, Some(length)).unwrap();
        let mut digest = vec![0; length];
        Argon2::new(algorithm, version, params).hash_password_into(&password, &salt, &mut digest).unwrap();
        let text = format!("${name}${written}m={memory},t={passes},p={lanes}${}${}", base64(&salt), base64(&digest));
        check(&text, &password, &other(&password), &budgets);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn bcrypt_is_the_crate_bcrypt(
        prefix in prop::sample::select(vec!["2a", "2b", "2y"]), cost in prop::sample::select(vec![4_u32, 4, 4, 5]),
        password in password(), salt in any::<[u8; 16]>(), budgets in budgets(),
    ) {
        let text = bcrypt::hash_with_salt(&password, cost, salt).unwrap().to_string().replace("$2b$", &format!("${prefix}$"));
        check(&text, &password, &other(&password), &budgets);
    }

    #[test]
    fn scrypt_is_the_crate_scrypt(
        log_n in 1..=7_u8, r in 1..=9_u32, p in 1..=5_u32, length in 16..=64_usize,
        password in password(), salt in salt(), budgets in budgets(),
    ) {
        let mut digest = vec![0; length];
        scrypt::scrypt(&password, &salt, &scrypt::Params::new(log_n, r, p).unwrap(), &mut digest).unwrap();
        let text = format!("$scrypt$ln={log_n},r={r},p={p}${}${}", base64(&salt), base64(&digest));
        check(&text, &password, &other(&password), &budgets);
    }

    #[test]
    fn pbkdf2_is_the_crate_pbkdf2(
        long in any::<bool>(), passlib in any::<bool>(), iterations in 1..=300_u32, length in 16..=64_usize,
        password in password(), salt in salt(), budgets in budgets(),
    ) {
        let mut digest = vec![0; length];
        let function = if long { pbkdf2::pbkdf2_hmac::<sha2::Sha512> } else { pbkdf2::pbkdf2_hmac::<sha2::Sha256> };
        function(&password, &salt, iterations, &mut digest);
        let (salt, digest) = (base64(&salt), base64(&digest));
        let name = if long { "pbkdf2-sha512" } else { "pbkdf2-sha256" };
        let text = if passlib {
            format!("${name}${iterations}${}${}", salt.replace('+', "."), digest.replace('+', "."))
        } else {
            format!("${name}$i={iterations},l={length}${salt}${digest}")
        };
        // HMAC pads keys with zeros, so that a final NUL more or less makes no difference: change a byte instead.
        let wrong = if password.is_empty() { b"wrong".to_vec() } else { other(&password) };
        check(&text, &password, &wrong, &budgets);
    }
}
