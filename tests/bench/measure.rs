//! What is measured: each of our hashes beside the crate that does it in one go, in alternating rounds.

use std::sync::Arc;
use std::time::Instant;

use crate::crypto::password::{Arena, Budget, PasswordCheck, PasswordHash, Progress};
use crate::secret::Secret;

const PASSWORD: &[u8] = b"correct horse battery staple";
const SALT: [u8; 16] = [7; 16];
const ROUNDS: usize = 11;
const WARM_UP: usize = 3;

/// A stored hash with an empty digest, and the crate's way to compute it.
struct Case {
    name: String,
    stored: String,
    reference: Box<dyn Fn()>,
}

/// Reports a line `name ours theirs ours theirs` for each case, in milliseconds: medians, then the least.
pub fn run(report: impl Fn(String)) {
    let mut arena = Arena::default();
    for case in cases() {
        let [ours, theirs] = measure(&case, &mut arena);
        let medians = format!("{:.3} {:.3}", ours[ours.len() / 2], theirs[theirs.len() / 2]);
        report(format!("{} {medians} {:.3} {:.3}", case.name, ours[0], theirs[0]));
    }
}

/// The sorted times of both, after a warm-up in which V8 optimizes them.
fn measure(case: &Case, arena: &mut Arena) -> [Vec<f64>; 2] {
    let hash = Arc::new(PasswordHash::parse(&case.stored).unwrap());
    let mut times = [vec![], vec![]];
    for _ in 0..WARM_UP + ROUNDS {
        times[0].push(milliseconds(|| check(&hash, arena)));
        times[1].push(milliseconds(&case.reference));
    }
    times.map(|times| sorted(times[WARM_UP..].to_vec()))
}

/// One check in slices of about a millisecond, as a worker does it.
fn check(hash: &Arc<PasswordHash>, arena: &mut Arena) {
    let check = PasswordCheck::new(hash.clone(), Secret::new(PASSWORD));
    let mut verification = check.start(std::mem::take(arena));
    while verification.advance(Budget(1_000)) == Progress::Working {}
    *arena = verification.into_arena();
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn sorted(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)].map(argon2_case).into();
    cases.push(bcrypt_case(10));
    cases.push(scrypt_case(15, 3));
    cases.push(pbkdf2_case("sha256", 100_000, pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>));
    cases.push(pbkdf2_case("sha512", 100_000, pbkdf2::pbkdf2_hmac_array::<sha2::Sha512, 32>));
    cases
}

/// Salt and digest as PHC writes them.
const TAIL: &str = "BwcHBwcHBwcHBwcHBwcHBw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2_case((memory, passes): (u32, u32)) -> Case {
    use argon2::{Algorithm, Argon2, Block, Params, Version};
    let params = Params::new(memory, passes, 1, Some(32)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let blocks = std::cell::RefCell::new(vec![Block::default(); memory as usize]);
    Case {
        name: format!("argon2id:m={memory},t={passes}"),
        stored: format!("$argon2id$v=19$m={memory},t={passes},p=1${TAIL}"),
        reference: Box::new(move || {
            let mut digest = [0; 32];
            let mut blocks = blocks.borrow_mut();
            argon2.hash_password_into_with_memory(PASSWORD, &SALT, &mut digest, blocks.as_mut_slice()).unwrap();
        }),
    }
}

fn bcrypt_case(cost: u32) -> Case {
    Case {
        name: format!("bcrypt:{cost}"),
        stored: bcrypt::hash_with_salt(b"another", 4, SALT)
            .unwrap()
            .to_string()
            .replace("$04$", &format!("${cost:02}$")),
        reference: Box::new(move || {
            std::hint::black_box(bcrypt::hash_with_salt(PASSWORD, cost, SALT).unwrap());
        }),
    }
}

fn scrypt_case(log_n: u8, p: u32) -> Case {
    let params = scrypt::Params::new(log_n, 8, p).unwrap();
    Case {
        name: format!("scrypt:ln={log_n},r=8,p={p}"),
        stored: format!("$scrypt$ln={log_n},r=8,p={p}${TAIL}"),
        reference: Box::new(move || scrypt::scrypt(PASSWORD, &SALT, &params, &mut [0; 32]).unwrap()),
    }
}

fn pbkdf2_case(name: &str, iterations: u32, reference: fn(&[u8], &[u8], u32) -> [u8; 32]) -> Case {
    Case {
        name: format!("pbkdf2-{name}:i={iterations}"),
        stored: format!("$pbkdf2-{name}$i={iterations}${TAIL}"),
        reference: Box::new(move || {
            std::hint::black_box(reference(PASSWORD, &SALT, iterations));
        }),
    }
}
