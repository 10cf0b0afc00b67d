//! Against SoftHSM2, a token in software with the interface of the hardware ones.

use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::Pkcs11;
use cryptoki::object::AttributeType;
use cryptoki::session::UserType;

use super::*;

const PIN: &str = "4711-0815";

fn module() -> PathBuf {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ];
    let found = places
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
    found.expect("SoftHSM2 is installed (apt install softhsm2)")
}

/// SoftHSM reads its configuration from the environment, which a process of many threads cannot
/// change safely. So each test runs its body in a process of its own, which finds the directory set.
fn in_a_process_of_its_own(test: &str, body: impl FnOnce(&Path)) {
    const DIRECTORY: &str = "CERTWRIGHT_TEST_TOKENS";
    #[expect(clippy::disallowed_methods, reason = "set by the parent below")]
    if let Ok(directory) = std::env::var(DIRECTORY) {
        return body(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let config = directory.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(&config, text).unwrap();
    let initialised = Command::new("softhsm2-util")
        .args([
            "--init-token",
            "--free",
            "--label",
            "ca",
            "--so-pin",
            "so-pin",
            "--pin",
            PIN,
        ])
        .env("SOFTHSM2_CONF", &config)
        .output()
        .unwrap();
    assert!(initialised.status.success(), "{initialised:?}");
    let name = format!("keystore::pkcs11::tests::{test}");
    let child = Command::new(std::env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .env("SOFTHSM2_CONF", &config)
        .env(DIRECTORY, directory.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && output.contains("1 passed"),
        "{output}\n{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

fn config(pin: &str) -> Pkcs11Config {
    Pkcs11Config {
        module: module(),
        token: TokenSelector::Label("ca".into()),
        pin: pin.to_owned().into(),
    }
}

fn signs(key: &dyn SigningKey) {
    let signature = key.sign(b"message").unwrap();
    let verify = |message: &[u8]| {
        key.public_key()
            .verify(key.signature_algorithm(), message, &signature)
    };
    assert!(verify(b"message").is_ok());
    assert!(verify(b"massage").is_err());
}

/// The context that the store uses, to do to it what an operator with a screwdriver would.
fn context(store: &Pkcs11KeyStore) -> Pkcs11 {
    store.token.context().clone()
}

#[test]
fn keys_of_every_kind_are_made_in_the_token_sign_and_open_again() {
    in_a_process_of_its_own(
        "keys_of_every_kind_are_made_in_the_token_sign_and_open_again",
        |_| {
            let store = Pkcs11KeyStore::new(config(PIN)).unwrap();
            for algorithm in [
                KeyAlgorithm::EcP256,
                KeyAlgorithm::EcP384,
                KeyAlgorithm::Rsa2048,
            ] {
                let made = store.generate(algorithm.as_str(), algorithm).unwrap();
                signs(&*made.key);
                let opened = store.open(&made.reference).unwrap();
                assert_eq!(opened.public_key(), made.key.public_key());
                signs(&*opened);
                let adopted = store.adopt(algorithm.as_str()).unwrap();
                assert_eq!(adopted.reference, made.reference);
            }
            assert!(store.generate("x", KeyAlgorithm::Ed25519).is_err());
            assert!(store.adopt("nobody").is_err());
        },
    );
}

#[test]
fn s13_a_key_cannot_be_read_out_of_the_token() {
    in_a_process_of_its_own("s13_a_key_cannot_be_read_out_of_the_token", |_| {
        let store = Pkcs11KeyStore::new(config(PIN)).unwrap();
        for algorithm in [KeyAlgorithm::EcP256, KeyAlgorithm::Rsa2048] {
            let made = store.generate("issuing", algorithm).unwrap();
            let KeyReference::Pkcs11 { id, .. } = &made.reference else {
                panic!("a key in a token has an id");
            };
            let id = HEXLOWER.decode(id.as_bytes()).unwrap();
            let secrets = [AttributeType::Value, AttributeType::PrivateExponent];
            let read = store.token.with_session(|lease| {
                let template = [
                    Attribute::Class(ObjectClass::PRIVATE_KEY),
                    Attribute::Id(id.clone()),
                ];
                let handle = lease.session.find_objects(&template)?[0];
                Ok(lease.session.get_attributes(handle, &secrets)?)
            });
            assert!(read.unwrap().is_empty());
        }
    });
}

#[test]
fn s13_a_lost_login_is_renewed_without_a_restart() {
    in_a_process_of_its_own("s13_a_lost_login_is_renewed_without_a_restart", |_| {
        let store = Pkcs11KeyStore::new(config(PIN)).unwrap();
        let key = store.generate("issuing", KeyAlgorithm::EcP256).unwrap().key;
        signs(&*key);
        // All sessions of a process share one login.
        store
            .token
            .with_session(|lease| Ok(lease.session.logout()?))
            .unwrap();
        signs(&*key);
    });
}

#[test]
fn s13_a_module_that_was_restarted_is_taken_up_again() {
    in_a_process_of_its_own("s13_a_module_that_was_restarted_is_taken_up_again", |_| {
        let store = Pkcs11KeyStore::new(config(PIN)).unwrap();
        let key = store.generate("issuing", KeyAlgorithm::EcP384).unwrap().key;
        context(&store).finalize().unwrap();
        signs(&*key);
        let slots = context(&store).get_slots_with_token().unwrap().len();
        assert!(slots > 0);
    });
}

#[test]
fn s13_a_token_that_is_gone_fails_clean_and_works_when_it_is_back() {
    in_a_process_of_its_own(
        "s13_a_token_that_is_gone_fails_clean_and_works_when_it_is_back",
        |directory| {
            let store = Pkcs11KeyStore::new(config(PIN)).unwrap();
            let key = store.generate("issuing", KeyAlgorithm::EcP256).unwrap().key;
            let (here, away) = (directory.join("tokens"), directory.join("away"));
            std::fs::rename(&here, &away).unwrap();
            std::fs::create_dir(&here).unwrap();
            context(&store).finalize().unwrap();
            let error = key.sign(b"message").unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains("`ca`"), "{source}");
            context(&store).finalize().unwrap();
            std::fs::remove_dir_all(&here).unwrap();
            std::fs::rename(&away, &here).unwrap();
            signs(&*key);
        },
    );
}

#[test]
fn s13_a_wrong_pin_is_sent_once_and_never_again() {
    in_a_process_of_its_own("s13_a_wrong_pin_is_sent_once_and_never_again", |_| {
        const WRONG: &str = "0000-0000";
        let token = Token::new(config(WRONG)).unwrap();
        let refused = |token: &Token| matches!(token.connect(), Err(TokenError::PinRefused));
        assert!(refused(&token));
        // Were it sent again, it would be right by now.
        let slot = token.context().get_slots_with_initialized_token().unwrap()[0];
        let session = token.context().open_rw_session(slot).unwrap();
        session.login(UserType::User, Some(&PIN.into())).unwrap();
        session.set_pin(&PIN.into(), &WRONG.into()).unwrap();
        session.logout().unwrap();
        assert!(refused(&token));
        let store = Pkcs11KeyStore::new(config(WRONG)).unwrap();
        signs(&*store.generate("issuing", KeyAlgorithm::EcP256).unwrap().key);
    });
}

#[test]
fn many_threads_sign_with_few_sessions() {
    in_a_process_of_its_own("many_threads_sign_with_few_sessions", |_| {
        let store = Pkcs11KeyStore::new(config(PIN)).unwrap();
        let key = store.generate("issuing", KeyAlgorithm::EcP256).unwrap().key;
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| (0..5).for_each(|_| signs(&*key)));
            }
        });
    });
}

#[test]
fn a_token_that_is_not_there_is_named_with_those_that_are() {
    in_a_process_of_its_own(
        "a_token_that_is_not_there_is_named_with_those_that_are",
        |_| {
            let other = Pkcs11Config {
                token: TokenSelector::Label("other".into()),
                ..config(PIN)
            };
            let error = Pkcs11KeyStore::new(other).err().unwrap().to_string();
            assert!(
                error.contains("`other`") && error.contains("`ca`"),
                "{error}"
            );
        },
    );
}

#[test]
fn a_module_that_does_not_exist_is_named() {
    let missing = Pkcs11Config {
        module: "/nonexistent/module.so".into(),
        ..config(PIN)
    };
    let error = Pkcs11KeyStore::new(missing).err().unwrap().to_string();
    assert!(error.contains("/nonexistent/module.so"), "{error}");
}
