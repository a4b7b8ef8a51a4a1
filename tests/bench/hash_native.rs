//! The same measurements as machine code, for `hash.py` to compare with.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that can't run has to fail")]

mod measure;

fn main() {
    measure::run(|line| println!("BENCH {line}"));
}
