//! The same measurements as machine code, for `hash.py` to compare with.

mod measure;

fn main() {
    measure::run(|line| println!("BENCH {line}"));
}
