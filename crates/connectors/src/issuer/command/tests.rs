use std::os::unix::fs::PermissionsExt;

use domain::id::IssuerId;
use domain::issuer::{ConnectorConfig, IssuerLimits, IssuerState};
use pki::random::SystemRandom;
use pki::time::Timestamp;
use secrecy::SecretString;
use tempfile::TempDir;

use super::*;
use crate::testing;

/// A connector whose program is this shell script.
fn connector(script: &str, seconds: u64) -> (TempDir, CommandConnector) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let connector = open(directory.path(), "ca", seconds);
    (directory, connector)
}

fn open(directory: &Path, program: &str, seconds: u64) -> CommandConnector {
    let config = CommandConfig {
        program: program.to_owned(),
        settings: BTreeMap::new(),
        time_limit_seconds: seconds,
    };
    let now = Timestamp::from_seconds(1_800_000_000);
    let issuer = Issuer {
        id: IssuerId::mint(now, &SystemRandom::new()),
        name: "ours".to_owned(),
        state: IssuerState::Active,
        connector: ConnectorConfig::Command(config.clone()),
        secrets: BTreeMap::new(),
        remote_chain: Chain::default(),
        metadata_fields: BTreeMap::new(),
        limits: IssuerLimits::default(),
        created_at: now,
        updated_at: now,
    };
    let secret = SecretString::from("hunter2-hunter2");
    let secrets = IssuerSecrets::new(BTreeMap::from([("password".to_owned(), secret)]));
    let mut environment = testing::environment();
    environment.commands = Some(directory.to_owned());
    CommandConnector::new(&issuer, &config, secrets, &environment).unwrap()
}

async fn poll(script: &str, seconds: u64) -> Result<Issuance, String> {
    let (_directory, connector) = connector(script, seconds);
    connector
        .poll("4711")
        .await
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_program_gets_the_question_and_the_secrets_by_standard_input_and_nothing_of_our_environment()
 {
    let script = r#"read question
case "$question" in
  *'"secrets":{"password":"hunter2-hunter2"}'*'"operation":"poll","handle":"4711"'*) ;;
  *) echo '{"status": "refused", "message": "another question"}'; exit 0;;
esac
[ -z "$CARGO_MANIFEST_DIR$USER" ] && [ "$PWD" = "$HOME" ] && [ $# -eq 0 ] || exit 3
echo '{"status": "pending", "handle": "4712", "poll_after_seconds": 7}'"#;
    match poll(script, 30).await.unwrap() {
        Issuance::Pending { handle, poll_after } => {
            assert_eq!((handle.as_str(), poll_after.as_secs()), ("4712", 7));
        }
        Issuance::Issued(_) => panic!("nothing was issued"),
    }
}

#[tokio::test]
async fn whatever_a_program_does_wrong_can_be_tried_again_and_tells_no_secret() {
    for (script, said) in [
        ("echo nonsense", "did not answer as agreed"),
        (
            "echo '{\"status\": \"done\"}'",
            "which fits no such question",
        ),
        (
            "echo '{\"status\": \"issued\", \"chain\": \"?\"}'",
            "no certificate",
        ),
        (
            "echo hunter2-hunter2 is wrong >&2; exit 4",
            "exit status: 4: [password] is wrong",
        ),
        ("head -c 3000000 /dev/zero", "more than"),
        ("kill -9 $$", "signal: 9"),
    ] {
        let error = poll(script, 30).await.unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        let is_empty_chain = said == "no certificate";
        assert!(is_empty_chain || error.contains(said), "{script}: {error}");
    }
}

#[tokio::test]
async fn a_program_that_does_not_end_is_stopped_with_what_it_started() {
    let error = poll("sleep 600 & sleep 600", 1).await.unwrap_err();
    assert!(error.contains("did not answer within 1 s"), "{error}");
}

#[tokio::test]
async fn only_what_lies_in_the_directory_and_nobody_else_may_change_is_run() {
    let (directory, _connector) = connector("echo '{\"status\": \"done\"}'", 30);
    let path = directory.path();
    std::os::unix::fs::symlink("/bin/sh", path.join("shell")).unwrap();
    std::fs::write(path.join("open"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(path.join("open"), std::fs::Permissions::from_mode(0o777)).unwrap();
    std::fs::write(path.join("text"), "text").unwrap();
    for (program, said) in [
        ("missing", "is not in the directory"),
        ("shell", "leads out of the directory"),
        ("open", "may be changed by others"),
        ("text", "is not executable"),
    ] {
        let error = open(path, program, 30).poll("1").await.unwrap_err();
        assert!(error.to_string().contains(said), "{program}: {error}");
    }
}
