//! The same measurements as machine code, for `hash.py` to compare with.

mod measure;

use token_endpoint::{crypto, secret};

fn main() {
    measure::run(|line| println!("BENCH {line}"));
}
