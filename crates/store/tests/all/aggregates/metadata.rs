//! Fields of custom metadata, and certificates found by their values.

use domain::id::FieldId;
use domain::metadata::{Field, FieldSpec, Values};
use store::certificates::CertificateFilter;
use store::{StoreError, Tx};

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{RANDOM, account, at, certificate, directory, eab_key, serial_number};

fn field(name: &str) -> Field {
    Field {
        id: FieldId::mint(at(0), &RANDOM),
        name: name.to_owned(),
        spec: FieldSpec {
            label: "Kostenstelle".to_owned(),
            pattern: Some("[0-9]+".to_owned()),
            ..FieldSpec::default()
        },
        version: 1,
        retired_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn values(pairs: &[(&str, &str)]) -> Values {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

async fn found(tx: &mut Tx<'_>, pairs: &[(&str, &str)]) -> Result<Vec<u8>, StoreError> {
    let filter = CertificateFilter {
        metadata: values(pairs).into_iter().collect(),
        ..CertificateFilter::default()
    };
    let listed = tx.list_certificates(&filter, None, 100).await?;
    assert_eq!(tx.count_certificates(&filter).await?, listed.len() as u64);
    let serials = listed.iter().map(|found| found.serial.as_be_octets()[1]);
    Ok(serials.collect())
}

both_engines! {
    async fn a_field_reads_back_and_changes_and_its_name_is_its_own(database) {
        transact!(database, |tx| {
            let mut stored = field("cost_center");
            tx.insert_field(&stored).await?;
            tx.insert_field(&field("a_first")).await?;
            stored.spec.required = true;
            stored.version = 2;
            stored.retired_at = Some(at(5));
            stored.updated_at = at(5);
            assert!(tx.update_field(&stored).await?);
            let listed = tx.list_fields().await?;
            assert_eq!(listed.len(), 2);
            assert_eq!(listed[1], stored, "by name");
            assert!(!tx.update_field(&field("missing")).await?);
        });
        let twice = database
            .store
            .write("test", |tx| Box::pin(async move { tx.insert_field(&field("a_first")).await }))
            .await;
        assert!(twice.is_err_and(|error: StoreError| error.is_duplicate()));
    }

    async fn certificates_are_found_by_the_values_they_have_now(database) {
        transact!(database, |tx| {
            let mut one = certificate(None, 1, &["a.example.org"]);
            one.metadata = values(&[("code", "4711"), ("stage", "test")]);
            let mut two = certificate(None, 2, &["b.example.org"]);
            two.metadata = values(&[("code", "4711"), ("stage", "production")]);
            for certificate in [&one, &two] {
                tx.insert_certificate(certificate).await?;
            }
            assert_eq!(found(tx, &[("code", "4711")]).await?, [2, 1]);
            assert_eq!(found(tx, &[("code", "4711"), ("stage", "test")]).await?, [1]);
            assert_eq!(found(tx, &[("stage", "4711")]).await?, [0_u8; 0]);
            assert!(tx.is_field_in_use("code").await?);
            assert!(!tx.is_field_in_use("other").await?);

            let after = values(&[("code", "1"), ("owner", "Jürgen")]);
            assert!(tx.set_certificate_metadata(&one.id, &after).await?);
            assert_eq!(found(tx, &[("code", "4711")]).await?, [2]);
            assert_eq!(found(tx, &[("owner", "Jürgen")]).await?, [1]);
            assert_eq!(found(tx, &[("stage", "test")]).await?, [0_u8; 0]);
            assert_eq!(tx.find_certificate(&one.id).await?.unwrap().metadata, after);
            let missing = certificate(None, 3, &[]).id;
            assert!(!tx.set_certificate_metadata(&missing, &after).await?);
        });
    }

    async fn a_value_of_very_many_certificates_is_found_as_well(database) {
        transact!(database, |tx| {
            for serial in 0..6000_u32 {
                let mut crowded = certificate(None, (serial % 200) as u8, &[]);
                crowded.metadata = values(&[("stage", "test")]);
                if serial % 3000 == 7 {
                    crowded.metadata.insert("code".to_owned(), "4711".to_owned());
                }
                tx.insert_certificate(&crowded).await?;
            }
            let filter = CertificateFilter {
                metadata: vec![("stage".to_owned(), "test".to_owned())],
                ..CertificateFilter::default()
            };
            let page = tx.list_certificates(&filter, None, 10).await?;
            assert_eq!(page.len(), 10);
            assert_eq!(page[0].serial, serial_number((5999 % 200) as u8), "newest first");
            assert_eq!(found(tx, &[("code", "4711"), ("stage", "test")]).await?, [7, 7]);
        });
    }

    async fn a_predecessor_has_the_same_account_and_exactly_the_same_names(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            tx.insert_directory(&directory).await?;
            let (ours, theirs) = (account(&directory.id, "a").id, account(&directory.id, "b").id);
            let mut add = async |serial: u8, holder: &_, names: &[&str]| {
                let mut certificate = certificate(None, serial, names);
                certificate.account_id = Some(Clone::clone(holder));
                certificate.metadata = values(&[("n", &serial.to_string())]);
                tx.insert_certificate(&certificate).await
            };
            add(1, &ours, &["a.example.org", "b.example.org"]).await?;
            add(2, &ours, &["b.example.org", "A.example.org"]).await?;
            add(3, &ours, &["a.example.org"]).await?;
            add(4, &theirs, &["a.example.org", "b.example.org"]).await?;
            let names = ["a.example.org".to_owned(), "b.example.org".to_owned()];
            let renewed = tx.find_metadata_of_account(&ours, &names).await?;
            assert_eq!(renewed, Some(values(&[("n", "2")])), "the newest, in any order");
            let renewed = tx.find_metadata_of_account(&ours, &names[1..]).await?;
            assert_eq!(renewed, None);
            assert_eq!(tx.find_metadata_of_account(&ours, &[]).await?, None);
        });
    }

    async fn keys_and_accounts_pass_on_what_they_were_given_last(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            tx.insert_directory(&directory).await?;
            let key = eab_key(&directory.id);
            tx.insert_eab_key(&key).await?;
            let after = values(&[("code", "4711")]);
            tx.set_eab_key_metadata(&key.id, &after).await?;
            let read = tx.find_eab_key_metadata_for_update(&key.id).await?;
            assert_eq!(read.as_ref(), Some(&after));
            assert_eq!(tx.find_eab_key(&key.id).await?.unwrap().metadata, after);
            let mut holder = account(&directory.id, "a");
            tx.insert_account(&holder).await?;
            holder.metadata = after;
            assert!(tx.update_account(&holder).await?);
            assert_eq!(tx.find_account(&holder.id).await?, Some(holder));
        });
    }
}
