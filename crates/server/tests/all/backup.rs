//! S8, S4: a backup of a server at work is a server again, elsewhere; and its CRL numbers go on rising.

use std::time::Duration;

use domain::clock::Clock;
use domain::enrollment::EnrollmentState;
use store::{Store, StoreConfig};
use testkit::{MockClock, TestServer};

use crate::pki_frontend::{fetch_crl, lists, number, revoke};

/// A data directory on an empty host: the backup restored, and the seal key that was kept apart.
async fn restore(
    backup: &std::path::Path,
    seal_key: &[u8],
    clock: &MockClock,
) -> tempfile::TempDir {
    use std::os::unix::fs::OpenOptionsExt;
    let host = tempfile::tempdir().unwrap();
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .mode(0o600)
        .open(host.path().join("seal.key"))
        .unwrap();
    std::io::Write::write_all(&mut file, seal_key).unwrap();
    let url = format!("sqlite://{}/certwright.db", host.path().display());
    let (store, report) = Store::restore(StoreConfig::new(url), backup, clock.now())
        .await
        .unwrap();
    assert!(report.rows > 0);
    drop(store);
    host
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s08_a_backup_under_load_restores_on_an_empty_host_and_crl_numbers_never_repeat() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let revoked = client.issue(&server, &["revoked.example.org"]).await;
    revoke(&client, &revoked).await;
    let kept = client.issue(&server, &["kept.example.org"]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let load = async {
        for number in 0..10 {
            client
                .issue(&server, &[&format!("load{number}.example.org")])
                .await;
        }
    };
    let backup = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        server
            .store()
            .backup(&file, server.clock.now())
            .await
            .unwrap();
    };
    tokio::join!(load, backup);
    // CRLs that the backup knows nothing of.
    let mut last = 0;
    for _ in 0..3 {
        // Asked before the clock is turned: the server's own worker is quick.
        let before = number(&fetch_crl(&server).await);
        server.clock.advance(Duration::from_secs(13 * 3600));
        server
            .run_jobs_until(async || {
                server.clock.advance(Duration::from_secs(2));
                number(&fetch_crl(&server).await) > before
            })
            .await;
        last = number(&fetch_crl(&server).await);
    }
    let clock = server.clock.clone();
    let seal_key = std::fs::read(server.data.path().join("seal.key")).unwrap();
    drop(server.stop().await);

    for _ in 0..2 {
        let host = restore(&file, &seal_key, &clock).await;
        let restored = TestServer::take_over(host, clock.clone()).await;
        let lifecycle = restored.lifecycle();
        clock.advance(Duration::from_secs(120));
        restored
            .run_jobs_until(async || {
                clock.advance(Duration::from_secs(2));
                lists(&fetch_crl(&restored).await, &revoked.leaf().serial)
                    && number(&fetch_crl(&restored).await) > last
            })
            .await;
        last = number(&fetch_crl(&restored).await);
        // Consistent: whatever is issued has its certificate, and the other way round.
        let enrollments = lifecycle
            .list_enrollments(Default::default(), None, 1000)
            .await
            .unwrap();
        let certificates = lifecycle
            .list_certificates(Default::default(), None, 1000)
            .await
            .unwrap();
        let issued = enrollments
            .iter()
            .filter(|e| matches!(e.state, EnrollmentState::Issued { .. }));
        let recorded = certificates
            .iter()
            .filter(|entry| entry.enrollment_id.is_some());
        assert_eq!(issued.count(), recorded.count());
        let fingerprint = pki::fingerprint::Fingerprint::of(&kept.chain[0]);
        assert!(
            certificates
                .iter()
                .any(|entry| entry.fingerprint == fingerprint)
        );
        let client = restored.registered_client().await;
        client.issue(&restored, &["restored.example.org"]).await;
        drop(restored.stop().await);
    }
}
