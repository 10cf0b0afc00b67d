//! People, what they prove themselves with, sessions, tickets, failures, providers, client certificates.

use std::time::Duration;

use domain::client_certificate::{CaReference, CertificateMatch, ClientCertificate};
use domain::id::{ClientCertificateId, PasskeyId, ProviderId, SessionId, UserId};
use domain::passkey::Passkey;
use domain::session::{Session, SignInMethod};
use domain::sign_in::{Attempts, Backoff};
use domain::sign_on::{Provider, ProviderSpec};
use domain::user::{User, UserState, Vouched};
use pki::fingerprint::Fingerprint;
use store::tickets::{Ticket, TicketPurpose};

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{RANDOM, at, issuer, token};

fn user(name: &str) -> User {
    User {
        id: UserId::mint(at(0), &RANDOM),
        name: name.parse().unwrap(),
        display_name: name.to_uppercase(),
        email: Some(format!("{name}@example.org")),
        state: UserState::Active,
        vouched: None,
        created_at: at(0),
        last_sign_in_at: None,
    }
}

fn session(user: &User) -> Session {
    let id = SessionId::mint(at(0), &RANDOM);
    Session {
        hash: Fingerprint::of(id.as_str().as_bytes()),
        id,
        user: user.id.clone(),
        method: SignInMethod::PasswordAndCode,
        address: Some("192.0.2.7".to_owned()),
        user_agent: None,
        created_at: at(0),
        authenticated_at: at(0),
        last_used_at: at(0),
    }
}

fn provider(name: &str) -> Provider {
    let spec = serde_json::json!({
        "title": name, "issuer": "https://login.example.org", "client_id": "certwright",
        "grants": [{ "group": "pki", "role": "auditor" }],
    });
    Provider {
        id: ProviderId::mint(at(0), &RANDOM),
        name: name.to_owned(),
        spec: serde_json::from_value::<ProviderSpec>(spec).unwrap(),
        sealed_secret: Some("sealed".to_owned()),
        created_at: at(0),
        updated_at: at(0),
    }
}

fn passkey(user: &User, credential: &str) -> Passkey {
    Passkey {
        id: PasskeyId::mint(at(0), &RANDOM),
        user: user.id.clone(),
        credential_id: credential.to_owned(),
        name: "laptop".to_owned(),
        created_at: at(0),
        credential: "{}".to_owned(),
        last_used_at: None,
    }
}

both_engines! {
    async fn a_user_is_found_by_id_name_and_subject_and_names_are_taken_once(database) {
        let staff = provider("staff");
        let (ada, mut grace) = (user("ada"), user("grace"));
        grace.vouched = Some(Vouched {
            provider: staff.id.clone(),
            subject: "4711".to_owned(),
            groups: vec!["pki".to_owned()],
        });
        transact!(database, |tx| {
            tx.insert_provider(&staff).await?;
            assert!(tx.insert_user(&ada).await?);
            assert!(tx.insert_user(&grace).await?);
            assert!(!tx.insert_user(&user("ada")).await?);
            assert_eq!(tx.find_user(&ada.id).await?.as_ref(), Some(&ada));
            assert_eq!(tx.find_user_by_name(&grace.name).await?.as_ref(), Some(&grace));
            let found = tx.find_user_by_subject(&staff.id, "4711").await?;
            assert_eq!(found.as_ref(), Some(&grace));
            assert_eq!(tx.find_user_by_subject(&staff.id, "4712").await?, None);
            assert_eq!(tx.list_users(None, 10).await?, [grace.clone(), ada.clone()]);
            assert_eq!(tx.list_users(Some(&grace.id), 10).await?, std::slice::from_ref(&ada));
            assert!(tx.has_users_of_provider(&staff.id).await?);
            grace.state = UserState::Disabled;
            grace.last_sign_in_at = Some(at(5));
            assert!(tx.update_user(&grace).await?);
            assert_eq!(tx.find_user(&grace.id).await?.as_ref(), Some(&grace));
        });
    }

    async fn what_somebody_proves_themselves_with_is_spent_once_and_goes_with_them(database) {
        let ada = user("ada");
        let codes = [1, 2].map(|n| Fingerprint::of(&[n]));
        transact!(database, |tx| {
            tx.insert_user(&ada).await?;
            assert_eq!(tx.find_credentials(&ada.id).await?, Default::default());
            tx.put_password(&ada.id, "$argon2id$", at(1)).await?;
            assert!(!tx.spend_totp_step(&ada.id, 7).await?, "there is no authenticator");
            tx.put_pending_totp(&ada.id, "one").await?;
            assert!(!tx.confirm_totp(&ada.id, "another", 7).await?);
            assert!(tx.confirm_totp(&ada.id, "one", 7).await?);
            assert!(!tx.spend_totp_step(&ada.id, 7).await?, "that was the first code");
            assert!(tx.spend_totp_step(&ada.id, 8).await?);
            assert!(!tx.spend_totp_step(&ada.id, 8).await?);
            let kept = tx.find_credentials(&ada.id).await?;
            assert_eq!(kept.password_hash.as_deref(), Some("$argon2id$"));
            assert_eq!((kept.sealed_totp.as_deref(), kept.totp_step), (Some("one"), 8));
            tx.put_recovery_codes(&ada.id, &codes).await?;
            assert!(tx.spend_recovery_code(&ada.id, &codes[0]).await?);
            assert!(!tx.spend_recovery_code(&ada.id, &codes[0]).await?);
            assert_eq!(tx.count_recovery_codes(&ada.id).await?, 1);
            assert!(tx.remove_totp(&ada.id).await?);
            assert!(!tx.remove_totp(&ada.id).await?);
            tx.insert_session(&session(&ada)).await?;
            assert!(tx.insert_passkey(&passkey(&ada, "a")).await?);
            assert!(tx.delete_user(&ada.id).await?);
            assert_eq!(tx.find_credentials(&ada.id).await?, Default::default());
            assert!(!tx.delete_user(&ada.id).await?);
        });
    }

    async fn sessions_are_found_by_hash_and_end_one_by_one_or_together(database) {
        let (ada, grace) = (user("ada"), user("grace"));
        let (one, two, hers) = (session(&ada), session(&ada), session(&grace));
        transact!(database, |tx| {
            tx.insert_user(&ada).await?;
            tx.insert_user(&grace).await?;
            for session in [&one, &two, &hers] {
                tx.insert_session(session).await?;
            }
            assert_eq!(tx.find_session_by_hash(&one.hash).await?.as_ref(), Some(&one));
            assert_eq!(tx.list_sessions(&ada.id, None, 10).await?, [two.clone(), one.clone()]);
            assert!(!tx.delete_session(&grace.id, &one.id).await?, "not hers");
            assert!(tx.touch_session(&one.id, at(60)).await?);
            assert!(tx.renew_session(&two.id, at(90)).await?);
            let renewed = tx.find_session_by_hash(&two.hash).await?.unwrap();
            assert_eq!((renewed.authenticated_at, renewed.last_used_at), (at(90), at(90)));
            assert_eq!(tx.delete_other_sessions(&ada.id, &two.id).await?, 1);
            assert_eq!(tx.purge_sessions(at(1), at(-100)).await?, 1, "hers was idle");
            assert_eq!(tx.delete_sessions_of(&ada.id).await?, 1);
            assert_eq!(tx.find_session_by_hash(&two.hash).await?, None);
        });
    }

    async fn a_ticket_is_good_once_for_its_purpose_and_until_its_end(database) {
        let ticket = Ticket {
            hash: Fingerprint::of(b"ticket"),
            purpose: TicketPurpose::SignOn,
            user: None,
            sealed: Some("sealed".to_owned()),
            expires_at: at(10),
        };
        transact!(database, |tx| {
            tx.insert_ticket(&ticket).await?;
            let hash = &ticket.hash;
            assert_eq!(tx.find_ticket(hash, TicketPurpose::Setup, at(0)).await?, None);
            assert_eq!(tx.find_ticket(hash, TicketPurpose::SignOn, at(10)).await?, None);
            let found = tx.find_ticket(hash, TicketPurpose::SignOn, at(9)).await?;
            assert_eq!(found.as_ref(), Some(&ticket));
            assert!(tx.delete_ticket(hash).await?);
            assert!(!tx.delete_ticket(hash).await?);
            tx.insert_ticket(&ticket).await?;
            assert_eq!(tx.purge_tickets(at(9)).await?, 0);
            assert_eq!(tx.purge_tickets(at(10)).await?, 1);
        });
    }

    async fn failures_are_counted_listed_while_they_lock_and_forgotten(database) {
        transact!(database, |tx| {
            let mut known = None;
            for second in 0..5 {
                known = Some(Backoff::USER.count(known, at(second)).unwrap());
            }
            let counted: Attempts = known.unwrap();
            tx.put_attempts("user/ada", &counted).await?;
            tx.put_attempts("user/ada", &counted).await?;
            assert_eq!(tx.find_attempts("user/ada").await?, Some(counted));
            assert_eq!(tx.list_locked(at(5), None, 10).await?.len(), 1);
            assert_eq!(tx.list_locked(at(60), None, 10).await?.len(), 0);
            assert_eq!(tx.purge_sign_in_attempts(at(4)).await?, 0);
            assert!(tx.delete_attempts("user/ada").await?);
            assert!(!tx.delete_attempts("user/ada").await?);
        });
    }

    async fn of_many_attempts_at_once_each_is_counted(database) {
        let counting: Vec<_> = (0..20)
            .map(|_| {
                let store = database.store.clone();
                tokio::spawn(async move {
                    let patient = Backoff { free: 1000, first: Duration::ZERO, ..Backoff::USER };
                    let counted: Result<(), store::StoreError> = store
                        .write("test", move |tx| {
                            Box::pin(async move {
                                let known = tx.lock_attempts("user/ada", at(0)).await?;
                                let counted = patient.count(known, at(0)).unwrap();
                                tx.put_attempts("user/ada", &counted).await
                            })
                        })
                        .await;
                    counted.unwrap();
                })
            })
            .collect();
        for counted in counting {
            counted.await.unwrap();
        }
        transact!(database, |tx| {
            let counted = tx.find_attempts("user/ada").await?.unwrap();
            assert_eq!(counted.failures, 20);
        });
    }

    async fn a_passkey_belongs_to_one_user_and_a_credential_is_registered_once(database) {
        let (ada, grace) = (user("ada"), user("grace"));
        let (laptop, phone) = (passkey(&ada, "laptop"), passkey(&ada, "phone"));
        transact!(database, |tx| {
            tx.insert_user(&ada).await?;
            tx.insert_user(&grace).await?;
            assert!(tx.insert_passkey(&laptop).await?);
            assert!(tx.insert_passkey(&phone).await?);
            assert!(!tx.insert_passkey(&passkey(&grace, "phone")).await?);
            assert_eq!(tx.list_passkeys(&ada.id).await?, [phone.clone(), laptop.clone()]);
            assert!(tx.update_passkey(&phone.id, "{\"counter\":1}", at(5)).await?);
            let found = tx.find_passkey_by_credential("phone").await?.unwrap();
            assert_eq!((found.credential.as_str(), found.last_used_at), ("{\"counter\":1}", Some(at(5))));
            assert!(!tx.delete_passkey(&grace.id, &phone.id).await?, "not hers");
            assert!(tx.delete_passkey(&ada.id, &phone.id).await?);
            assert_eq!(tx.find_passkey_by_credential("phone").await?, None);
        });
    }

    async fn a_provider_reads_back_and_changes(database) {
        let mut staff = provider("staff");
        transact!(database, |tx| {
            tx.insert_provider(&staff).await?;
            tx.insert_provider(&provider("partners")).await?;
            assert_eq!(tx.find_provider_by_name("staff").await?.as_ref(), Some(&staff));
            staff.spec.enabled = false;
            staff.sealed_secret = None;
            staff.updated_at = at(5);
            assert!(tx.update_provider(&staff).await?);
            assert_eq!(tx.find_provider(&staff.id).await?.as_ref(), Some(&staff));
            let names: Vec<_> = tx.list_providers().await?.into_iter().map(|p| p.name).collect();
            assert_eq!(names, ["partners", "staff"]);
            assert!(tx.delete_provider(&staff.id).await?);
            assert!(!tx.delete_provider(&staff.id).await?);
        });
    }

    async fn a_client_certificate_is_matched_by_ca_and_content(database) {
        let token = token();
        let ca = CaReference::Issuer(issuer("issuing").id);
        let other = CaReference::Certificate(Fingerprint::of(b"other"));
        let dns = CertificateMatch::Dns("a.example.org".to_owned());
        let rule = ClientCertificate {
            id: ClientCertificateId::mint(at(0), &RANDOM),
            name: "machine".to_owned(),
            token: token.id.clone(),
            ca: ca.clone(),
            subject: dns.clone(),
            created_at: at(0),
            last_used_at: None,
        };
        transact!(database, |tx| {
            tx.insert_token(&token).await?;
            assert!(tx.insert_client_certificate(&rule).await?);
            let twin = ClientCertificate {
                id: ClientCertificateId::mint(at(0), &RANDOM),
                ..rule.clone()
            };
            assert!(!tx.insert_client_certificate(&twin).await?);
            let wanted = [CertificateMatch::Uri("x".to_owned()), dns.clone()];
            let found = tx.match_client_certificate(&ca, &wanted).await?;
            assert_eq!(found.as_ref(), Some(&rule));
            assert_eq!(tx.match_client_certificate(&other, &wanted).await?, None);
            assert_eq!(tx.match_client_certificate(&ca, &wanted[..1]).await?, None);
            tx.touch_client_certificate(&rule.id, &token.id, at(7)).await?;
            let found = tx.find_client_certificate(&rule.id).await?.unwrap();
            assert_eq!(found.last_used_at, Some(at(7)));
            assert_eq!(tx.list_client_certificates(None, 10).await?.len(), 1);
            assert!(tx.delete_client_certificate(&rule.id).await?);
            assert!(!tx.delete_client_certificate(&rule.id).await?);
        });
    }
}
