//! Links the unwinder into the module: Envoy's own image has no `libgcc_s.so.1`.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var("OUT_DIR").unwrap_or_default();
    // The linker takes a text in a library's place for a script.
    fs::write(Path::new(&folder).join("libgcc_s.so"), "INPUT(-lgcc_eh -lgcc)\n")?;
    println!("cargo::rustc-link-arg=-L{folder}");
    // What Envoy has is not there for unit tests, which don't call it.
    println!("cargo::rustc-link-arg=-Wl,--unresolved-symbols=ignore-in-object-files");
    Ok(())
}
