//! The readers that `make fuzz` fuzzes, on the corpus that is kept and on every beginning of each of its inputs.

#[path = "../fuzz/targets/mod.rs"]
mod targets;

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use self::targets::TARGETS;

#[test]
fn no_reader_breaks_a_promise_on_what_is_kept() {
    for (name, read) in TARGETS {
        for file in files(&format!("corpus/{name}")) {
            let input = fs::read(&file).unwrap();
            for length in 0..=input.len() {
                let outcome = catch_unwind(|| read(&input[..length]));
                assert!(outcome.is_ok(), "the first {length} bytes of {}", file.display());
            }
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_is_known_to_libfuzzer() {
    let names = |files: Vec<PathBuf>| {
        files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let known: BTreeSet<_> = TARGETS.map(|(name, _)| name.to_owned()).into();
    assert_eq!((names(files("corpus")), names(files("fuzz_targets"))), (known.clone(), known));
    for (name, _) in TARGETS {
        assert!(files(&format!("corpus/{name}")).len() >= 5, "{name}");
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz")).join(folder);
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
