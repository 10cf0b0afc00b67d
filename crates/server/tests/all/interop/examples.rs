//! The configurations in `deploy/examples` are ones that the server accepts.

use std::path::{Path, PathBuf};

use super::process::{command, succeed};

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples");
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect()
}

#[tokio::test]
async fn the_example_configurations_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    // The files that an operator puts there.
    let seal_key = file("seal.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    let pin = file("pin", "1234\n");
    let examples = examples();
    assert!(examples.len() >= 4, "{examples:?}");
    for example in examples {
        let mut check = command(env!("CARGO_BIN_EXE_certwright"));
        check.env_clear().args(["config", "check", "--config"]);
        check.arg(&example);
        if example.ends_with("cluster-node.toml") {
            check.env("CERTWRIGHT_SEAL__KEY_FILE", &seal_key);
        }
        if example.ends_with("pkcs11.toml") {
            check.env("CERTWRIGHT_CA__PKCS11_PIN_FILE", &pin);
        }
        succeed(&mut check).await;
    }
}
