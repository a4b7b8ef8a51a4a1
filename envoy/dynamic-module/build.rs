//! Links the unwinder into the module: Envoy's own image has no `libgcc_s.so.1`.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var("OUT_DIR").unwrap_or_default();
    // The linker takes a text in a library's place for a script.
    let script = fs::write(Path::new(&folder).join("libgcc_s.so"), "INPUT(-lgcc_eh -lgcc)\n");
    script.unwrap_or_else(|error| panic!("no linker script: {error}"));
    println!("cargo::rustc-link-arg=-L{folder}");
}
