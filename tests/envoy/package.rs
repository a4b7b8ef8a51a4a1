//! The image that `make package` builds, of the wasm file that the other tests run.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is in `target/package` after `make package`.
struct Package {
    folder: TempDir,
    printed: String,
}

impl Package {
    fn build() -> Self {
        let folder = TempDir::new().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/package");
        let printed =
            run(Command::new("python3").args(["-B".as_ref(), script.as_os_str()]).arg(wasm()).arg(folder.path()));
        Self { folder, printed: String::from_utf8(printed).unwrap() }
    }

    fn layout(&self) -> PathBuf {
        self.folder.path().join("token-endpoint")
    }

    fn blob(&self, descriptor: &Value) -> Vec<u8> {
        let digest = descriptor["digest"].as_str().unwrap();
        let content = fs::read(self.blob_path(descriptor)).unwrap();
        assert_eq!((digest, descriptor["size"].as_u64()), (&*sha256(&content), u64::try_from(content.len()).ok()));
        content
    }

    fn blob_path(&self, descriptor: &Value) -> PathBuf {
        self.layout().join("blobs").join(descriptor["digest"].as_str().unwrap().replace(':', "/"))
    }

    /// What describes the manifest with this tag, and the manifest.
    fn manifest(&self, tag: &str) -> (Value, Value) {
        let index: Value = serde_json::from_slice(&fs::read(self.layout().join("index.json")).unwrap()).unwrap();
        let manifests = index["manifests"].as_array().unwrap();
        let named = |manifest: &&Value| manifest["annotations"]["org.opencontainers.image.ref.name"] == tag;
        let descriptor = manifests.iter().find(named).unwrap_or_else(|| panic!("no {tag} in {index}"));
        (descriptor.clone(), serde_json::from_slice(&self.blob(descriptor)).unwrap())
    }

    fn reference(&self, tag: &str) -> String {
        format!("oci:{}:{tag}", self.layout().display())
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), self.folder.path(), &mut files);
        files
    }
}

fn tags() -> [String; 3] {
    ["", "-artifact", "-sbom"].map(|suffix| format!("{VERSION}{suffix}"))
}

fn wasm() -> PathBuf {
    std::env::var_os("TOKEN_ENDPOINT_WASM").expect("TOKEN_ENDPOINT_WASM is set: run these tests by `make test`").into()
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn sha256(content: &[u8]) -> String {
    let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digest}")
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

#[test]
fn the_same_wasm_file_makes_the_same_bytes_each_time() {
    let (one, other) = (Package::build(), Package::build());
    assert!(one.files().len() > 10);
    assert_eq!(one.files().keys().collect::<Vec<_>>(), other.files().keys().collect::<Vec<_>>());
    assert!(one.files() == other.files());
}

#[test]
fn the_image_holds_the_wasm_file_that_the_tests_run_and_nothing_else() {
    let package = Package::build();
    let (_, manifest) = package.manifest(VERSION);
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(manifest["annotations"]["module.wasm.image/variant"], "compat");

    let layer = package.blob_path(&manifest["layers"][0]);
    let listed = run(Command::new("tar").arg("-tzf").arg(&layer));
    let plugin = run(Command::new("tar").args(["-xOzf".as_ref(), layer.as_os_str(), "plugin.wasm".as_ref()]));
    assert_eq!(String::from_utf8(listed).unwrap(), "plugin.wasm\n");
    assert!(plugin == fs::read(wasm()).unwrap());

    let config: Value = serde_json::from_slice(&package.blob(&manifest["config"])).unwrap();
    let archive = run(Command::new("gzip").args(["-dc".as_ref(), layer.as_os_str()]));
    assert_eq!(config["rootfs"], json!({"type": "layers", "diff_ids": [sha256(&archive)]}));
}

#[test]
fn the_artifact_holds_the_same_file_in_the_two_layers_that_istio_wants() {
    let package = Package::build();
    let (_, manifest) = package.manifest(&format!("{VERSION}-artifact"));
    let layers = manifest["layers"].as_array().unwrap();
    let types: Vec<_> = layers.iter().map(|layer| layer["mediaType"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        ["application/vnd.module.wasm.config.v1+json", "application/vnd.module.wasm.content.layer.v1+wasm"]
    );
    let config: Value = serde_json::from_slice(&package.blob(&layers[0])).unwrap();
    assert_eq!(config["type"], "envoy_proxy");
    assert!(package.blob(&layers[1]) == fs::read(wasm()).unwrap());
}

#[test]
fn skopeo_knows_what_the_image_is() {
    let package = Package::build();
    let inspected = run(Command::new("skopeo").args(["inspect", &package.reference(VERSION)]));
    let inspected: Value = serde_json::from_slice(&inspected).unwrap();
    let (descriptor, manifest) = package.manifest(VERSION);
    assert_eq!(inspected["Digest"], descriptor["digest"]);
    assert_eq!(inspected["Layers"], json!([manifest["layers"][0]["digest"]]));
    let labels = json!({
        "org.opencontainers.image.title": "token-endpoint",
        "org.opencontainers.image.version": VERSION,
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        "org.opencontainers.image.description": env!("CARGO_PKG_DESCRIPTION"),
    });
    assert_eq!(inspected["Labels"], labels);
    assert!(package.printed.contains(descriptor["digest"].as_str().unwrap()), "{}", package.printed);
}

#[test]
fn skopeo_copies_all_of_the_layout_byte_by_byte_and_its_archive_too() {
    let package = Package::build();
    let archive = package.folder.path().join(format!("token-endpoint-{VERSION}.tar"));
    for tag in tags() {
        let (descriptor, _) = package.manifest(&tag);
        for source in [package.reference(&tag), format!("oci-archive:{}:{tag}", archive.display())] {
            let copy = TempDir::new().unwrap();
            let target = format!("dir:{}", copy.path().display());
            run(Command::new("skopeo").args(["--insecure-policy", "copy", "--preserve-digests", &source, &target]));
            let manifest = fs::read(copy.path().join("manifest.json")).unwrap();
            assert_eq!(descriptor["digest"], sha256(&manifest), "{source}");
        }
    }
}

#[test]
fn the_bill_of_materials_has_what_is_in_the_wasm_file_and_no_more() {
    let package = Package::build();
    let bill = fs::read(package.folder.path().join(format!("token-endpoint-{VERSION}.cdx.json"))).unwrap();
    let bill: Value = serde_json::from_slice(&bill).unwrap();
    let wasm = sha256(&fs::read(wasm()).unwrap());
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
    assert_eq!(format!("sha256:{}", bill["metadata"]["component"]["hashes"][0]["content"].as_str().unwrap()), wasm);

    let components = bill["components"].as_array().unwrap();
    let names: Vec<_> = components.iter().map(|component| component["name"].as_str().unwrap()).collect();
    for linked in ["proxy-wasm", "jwt-simple", "chacha20poly1305", "serde_core"] {
        assert!(names.contains(&linked), "{linked}");
    }
    for left_out in ["clap", "serde_derive", "jsonwebtoken", "token-endpoint"] {
        assert!(!names.contains(&left_out), "{left_out}");
    }
    let lock = include_str!("../../Cargo.lock");
    for component in components {
        assert_eq!(
            component["purl"],
            format!("pkg:cargo/{}@{}", text(&component["name"]), text(&component["version"]))
        );
        assert!(lock.contains(text(&component["hashes"][0]["content"])), "{component}");
        assert!(!text(&component["licenses"][0]["expression"]).contains('/'), "{component}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

#[test]
fn the_bill_of_materials_refers_to_the_image() {
    let package = Package::build();
    let (image, _) = package.manifest(VERSION);
    let (_, referrer) = package.manifest(&format!("{VERSION}-sbom"));
    assert_eq!(referrer["subject"]["digest"], image["digest"]);
    assert_eq!(referrer["artifactType"], "application/vnd.cyclonedx+json");
    let bill = fs::read(package.folder.path().join(format!("token-endpoint-{VERSION}.cdx.json"))).unwrap();
    assert!(package.blob(&referrer["layers"][0]) == bill);
}
