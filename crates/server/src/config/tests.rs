//! The configuration as an operator meets it.

use std::collections::BTreeSet;
use std::fs;

use pki::key::KeyAlgorithm;

use super::keys::{self, Key, Preset, SECTIONS};
use super::layers::Raw;
use super::*;

/// A configuration from a file's text, environment and flags.
#[derive(Default)]
struct Given {
    file: &'static str,
    environment: Vec<(&'static str, String)>,
    data: Option<&'static str>,
    listen: Option<&'static str>,
}

impl Given {
    fn file(file: &'static str) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    fn environment(name: &'static str, value: &str) -> Self {
        Self {
            environment: vec![(name, value.to_owned())],
            ..Self::default()
        }
    }

    fn examine(self) -> Report {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("certwright.toml");
        fs::write(&file, self.file).unwrap();
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        examine(Sources {
            file: Some(file),
            environment: self.environment.into_iter().map(named).collect(),
            data: self.data.map(PathBuf::from),
            listen: self.listen.map(str::to_owned),
        })
    }
}

fn row<'a>(report: &'a Report, key: &str) -> &'a Effective {
    report.effective.iter().find(|row| row.key == key).unwrap()
}

#[test]
fn an_empty_configuration_is_fine_and_holds_the_documented_defaults() {
    let report = Given::default().examine();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let config = report.config;
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8443");
    assert_eq!(config.server.public_url.as_str(), "https://localhost:8443");
    assert_eq!(config.server.pki_url.as_str(), "https://localhost:8443");
    assert_eq!(config.server.tls, Tls::SelfIssued);
    assert_eq!(
        config.database.target.shown(),
        "sqlite://./data/certwright.db"
    );
    assert_eq!(config.validation.http01_port, 80);
    assert_eq!(config.validation.tlsalpn01_port, 443);
    assert!(!config.validation.caa);
    assert_eq!(config.ca.root.key_algorithm, KeyAlgorithm::EcP384);
    assert_eq!(config.ca.issuer.key_algorithm, KeyAlgorithm::EcP256);
    assert!(matches!(&config.seal, Seal::File(path) if path == Path::new("./data/seal.key")));
}

#[test]
fn every_key_is_read() {
    for key in keys::all() {
        let mut layers = Layers::defaults();
        layers.set(key, Raw::Other("a date"), Origin::Flag("--test"));
        let problems = report(layers).problems;
        assert!(
            problems.iter().any(|problem| problem.key == key.name),
            "nobody reads {}",
            key.name
        );
    }
}

#[test]
fn keys_and_sections_are_listed_once_and_belong_together() {
    let names: BTreeSet<_> = keys::all().map(|key| key.name).collect();
    assert_eq!(names.len(), keys::all().count());
    let used: BTreeSet<_> = keys::all().map(|key| key.parts().0).collect();
    let listed: BTreeSet<_> = SECTIONS.iter().map(|section| section.name).collect();
    assert_eq!(used, listed);
}

#[test]
fn the_example_says_the_same_as_the_defaults() {
    assert!(Config::from_toml(&example()).is_ok());
    let uncommented: String = example()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let mut layers = Layers::default();
    layers.text(Path::new("example.toml"), &uncommented);
    assert!(layers.problems.is_empty(), "{:?}", layers.problems);
    let defaults = Layers::defaults();
    for key in keys::all() {
        let shown = layers.get(key.name).unwrap();
        if let Preset::Value(_) = key.preset {
            assert_eq!(
                shown.raw,
                defaults.get(key.name).unwrap().raw,
                "{}",
                key.name
            );
        }
    }
}

#[test]
fn flags_win_over_environment_and_environment_over_the_file() {
    let mut given = Given::file("[server]\nlisten = \"127.0.0.1:1001\"\n");
    let report = Given { ..given }.examine();
    assert_eq!(report.config.server.listen.port(), 1001);
    let origin = &row(&report, "server.listen").origin;
    assert!(origin.ends_with("certwright.toml:2"), "{origin}");

    given = Given::file("[server]\nlisten = \"127.0.0.1:1001\"\n");
    given.environment = vec![("CERTWRIGHT_SERVER__LISTEN", "127.0.0.1:1002".to_owned())];
    let report = given.examine();
    assert_eq!(report.config.server.listen.port(), 1002);
    assert_eq!(
        row(&report, "server.listen").origin,
        "CERTWRIGHT_SERVER__LISTEN"
    );

    given = Given::environment("CERTWRIGHT_SERVER__LISTEN", "127.0.0.1:1002");
    given.listen = Some("127.0.0.1:1003");
    given.data = Some("/srv/ca");
    let report = given.examine();
    assert_eq!(report.config.server.listen.port(), 1003);
    assert_eq!(row(&report, "server.listen").origin, "--listen");
    assert_eq!(
        row(&report, "server.public_url").value,
        "https://localhost:1003"
    );
    assert_eq!(
        row(&report, "server.public_url").origin,
        "from server.listen"
    );
    assert_eq!(
        row(&report, "database.url").value,
        "sqlite:///srv/ca/certwright.db"
    );
    assert_eq!(row(&report, "seal.key_file").value, "/srv/ca/seal.key");
}

#[test]
fn every_key_can_be_set_by_environment() {
    for key in keys::all() {
        let Preset::Value(value) = key.preset else {
            continue;
        };
        let mut layers = Layers::defaults();
        layers.environment([(key.variable(), value.to_owned())]);
        assert_eq!(
            layers.get(key.name).unwrap().origin,
            Origin::Environment(key.variable())
        );
    }
    assert_eq!(
        keys::find("validation.http01_port")
            .map(Key::variable)
            .unwrap(),
        "CERTWRIGHT_VALIDATION__HTTP01_PORT"
    );
}

#[test]
fn a_list_in_the_environment_is_comma_separated_or_toml() {
    for text in [
        "10.0.0.0/8,192.0.2.1",
        " 10.0.0.0/8 , 192.0.2.1 ",
        "[\"10.0.0.0/8\", \"192.0.2.1\"]",
    ] {
        let report = Given::environment("CERTWRIGHT_SERVER__TRUSTED_PROXIES", text).examine();
        assert!(report.is_usable(), "{:?}", report.problems);
        let networks = report.config.server.trusted_proxies;
        assert_eq!(
            networks,
            [
                "10.0.0.0/8".parse().unwrap(),
                "192.0.2.1/32".parse().unwrap()
            ]
        );
    }
}

#[test]
fn mistakes_are_named_with_their_place_and_remedy() {
    let cases = [
        (
            "[server]\nlisen = \"1\"",
            "server.lisen",
            "did you mean `listen`?",
        ),
        ("[sever]\nlisten = \"1\"", "sever", "did you mean `server`?"),
        ("[log]\nlisten = \"1\"", "log.listen", "section [server]"),
        (
            "listen = \"127.0.0.1:1\"",
            "listen",
            "below a line [server]",
        ),
        ("[server]\nlisten = 8443", "server.listen", "write a string"),
        (
            "[server]\nlisten = \"8443\"",
            "server.listen",
            "127.0.0.1:8443",
        ),
        (
            "[server]\ntls = \"of\"",
            "server.tls",
            "did you mean `off`?",
        ),
        (
            "[server]\ntrusted_proxies = [\"10.0.0.0/33\"]",
            "server.trusted_proxies",
            "10.0.0.0/8",
        ),
        (
            "[server]\ntrusted_proxies = \"10.0.0.0/8\"",
            "server.trusted_proxies",
            "list of strings",
        ),
        (
            "[server]\ntrusted_proxies = [1]",
            "server.trusted_proxies",
            "list of strings",
        ),
        (
            "[server]\npublic_url = \"ftp://ca.example\"",
            "server.public_url",
            "https://ca.example",
        ),
        (
            "[server]\npublic_url = \"http://ca.example\"",
            "server.public_url",
            "https://",
        ),
        (
            "[server]\ntls_certificate = \"c.pem\"",
            "server.tls_certificate",
            "server.tls_key",
        ),
        (
            "[server]\ntls_key = \"k.pem\"",
            "server.tls_key",
            "server.tls_certificate",
        ),
        (
            "[server]\nhttp_listen = \"0.0.0.0:8443\"",
            "server.http_listen",
            "different ports",
        ),
        (
            "[server]\ndata_dir = \"\"",
            "server.data_dir",
            "write a value",
        ),
        (
            "[database]\nurl = \"mysql://db\"",
            "database.url",
            "postgres://",
        ),
        (
            "[database]\npool_size = 0",
            "database.pool_size",
            "from 1 to 1000",
        ),
        (
            "[database]\npool_size = \"16\"",
            "database.pool_size",
            "without quotes",
        ),
        (
            "[database]\npool_size = 1.5",
            "database.pool_size",
            "whole number",
        ),
        (
            "[validation]\nhttp01_port = 65536",
            "validation.http01_port",
            "65535",
        ),
        (
            "[validation]\nresolvers = [\"dns.example\"]",
            "validation.resolvers",
            "127.0.0.1:8053",
        ),
        (
            "[ca]\nroot_key_algorithm = \"p384\"",
            "ca.root_key_algorithm",
            "`p-384`",
        ),
        (
            "[ca]\ncrl_refresh_hours = 96",
            "ca.crl_refresh_hours",
            "crl_validity_hours",
        ),
        (
            "[ca]\nissuer_validity_days = 9000",
            "ca.issuer_validity_days",
            "root_validity_days",
        ),
        ("[ca]\nkey_store = \"pkcs11\"", "ca.key_store", "[ca]"),
        ("[seal]\nkey = \"c2hvcnQ=\"", "seal.key", "32 octets"),
        (
            "[seal]\nkey_file = \"/nonexistent/seal.key\"",
            "seal.key_file",
            "existing file",
        ),
        (
            "[acme]\nexternal_account_required = \"maybe\"",
            "acme.external_account_required",
            "true or false",
        ),
        (
            "[acme]\ncaa_identities = [\"not a name\"]",
            "acme.caa_identities",
            "ca.example",
        ),
        ("[log]\nlevel = \"certwright=loud\"", "log.level", "debug"),
    ];
    for (file, key, remedy) in cases {
        let report = Given::file(file).examine();
        assert!(!report.is_usable(), "accepted: {file}");
        let found = report.problems.iter().find(|problem| problem.key == key);
        let problem = found.unwrap_or_else(|| panic!("{file}: {:?}", report.problems));
        assert!(problem.remedy.contains(remedy), "{file}: {problem}");
        let line = file.lines().count();
        let place = format!("certwright.toml:{line}");
        let is_section = !key.contains('.') && file.starts_with('[');
        let is_elsewhere = problem.place.is_empty();
        assert!(
            is_section || is_elsewhere || problem.place.ends_with(&place),
            "{file}: {problem}"
        );
    }
}

#[test]
fn what_is_not_toml_is_named_with_its_line() {
    let report = Given::file("[server]\nlisten = \n").examine();
    assert!(report.problems.iter().any(|problem| {
        problem.place.ends_with("certwright.toml:2") && problem.message.contains("not TOML")
    }));
}

#[test]
fn all_mistakes_are_found_in_one_run() {
    let report = Given {
        file: "[server]\nlisen = \"x\"\n[database]\npool_size = -1\n[log]\nformat = \"xml\"\n",
        environment: vec![("CERTWRIGHT_CA__ROOT_VALIDITY_DAYS", "long".to_owned())],
        ..Given::default()
    }
    .examine();
    let keys: BTreeSet<_> = report.problems.iter().map(|p| p.key.as_str()).collect();
    let expected = [
        "ca.root_validity_days",
        "database.pool_size",
        "log.format",
        "server.lisen",
    ];
    assert_eq!(keys, BTreeSet::from(expected));
}

#[test]
fn environment_variables_that_set_nothing_are_refused_when_they_look_like_ours() {
    let cases = [
        (
            "CERTWRIGHT_SERVER__LISEN",
            Some("`CERTWRIGHT_SERVER__LISTEN`"),
        ),
        (
            "CERTWRIGHT_SERVER_LISTEN",
            Some("`CERTWRIGHT_SERVER__LISTEN`"),
        ),
        ("CERTWRIGHT_FOO__BAR_BAZ_QUX", Some("unset it")),
        ("CERTWRIGHT_URL", None),
        ("CERTWRIGHT_TOKEN", None),
        ("CERTWRIGHT_SERVICE_HOST", None),
        ("CERTWRIGHT_PORT_8443_TCP", None),
        ("SERVER__LISEN", None),
    ];
    for (name, remedy) in cases {
        let problems = Given::environment(name, "127.0.0.1:1").examine().problems;
        match remedy {
            None => assert!(problems.is_empty(), "{name}: {problems:?}"),
            Some(remedy) => assert!(
                problems.len() == 1 && problems[0].remedy.contains(remedy),
                "{name}: {problems:?}"
            ),
        }
    }
}

#[test]
fn secrets_are_never_shown() {
    let seal = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LTEyMzQ=";
    let report = Given {
        file: "[ca]\npkcs11_pin = \"canary-pin\"\n[metrics]\ntoken = \"canary-token\"\n",
        environment: vec![
            (
                "CERTWRIGHT_DATABASE__URL",
                "postgres://ca:canary-password@db/ca".to_owned(),
            ),
            ("CERTWRIGHT_SEAL__KEY", seal.to_owned()),
        ],
        ..Given::default()
    }
    .examine();
    assert!(report.is_usable(), "{:?}", report.problems);
    assert_eq!(row(&report, "metrics.token").value, MASK);
    assert_eq!(row(&report, "seal.key").value, MASK);
    assert_eq!(
        row(&report, "database.url").value,
        "postgres://ca:********@db/ca"
    );
    let everything = format!("{:?}{:?}", report.config, report.effective);
    for canary in ["canary-pin", "canary-token", "canary-password", seal] {
        assert!(!everything.contains(canary), "{canary} is shown");
    }
}

#[test]
fn a_secret_that_does_not_parse_is_not_repeated_in_the_complaint() {
    for (name, value) in [
        ("CERTWRIGHT_DATABASE__URL", "mysql://ca:canary-word@db"),
        ("CERTWRIGHT_DATABASE__URL", "canary-word"),
        ("CERTWRIGHT_SEAL__KEY", "canary-word!"),
    ] {
        let error = Given::environment(name, value)
            .examine()
            .into_config()
            .unwrap_err();
        assert!(!error.to_string().contains("canary-word"), "{error}");
    }
}

#[test]
fn the_urls_follow_the_ports_that_the_listeners_were_given() {
    let given = |file| Given::file(file).examine().config.server;
    let (main, http) = (
        "127.0.0.1:4001".parse().unwrap(),
        "127.0.0.1:4002".parse().unwrap(),
    );

    let mut server = given("[server]\nlisten = \"127.0.0.1:0\"");
    server.listening_on(main, None);
    assert_eq!(server.public_url.as_str(), "https://localhost:4001");
    assert_eq!(server.pki_url.as_str(), "https://localhost:4001");

    let mut server = given("[server]\nlisten = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"");
    server.listening_on(main, Some(http));
    assert_eq!(server.public_url.as_str(), "https://localhost:4001");
    assert_eq!(server.pki_url.as_str(), "http://localhost:4002");

    let mut server = given("[server]\npublic_url = \"https://ca.example/\"");
    server.listening_on(main, None);
    assert_eq!(server.public_url.as_str(), "https://ca.example");
    assert_eq!(server.pki_url.as_str(), "https://ca.example");

    let mut server = given("[server]\npki_url = \"http://crl.example\"");
    server.listening_on(main, Some(http));
    assert_eq!(server.pki_url.as_str(), "http://crl.example");
}

#[test]
fn a_server_behind_a_proxy_or_on_the_network_is_warned_about_its_url() {
    for file in [
        "[server]\ntls = \"off\"",
        "[server]\nlisten = \"0.0.0.0:8443\"",
    ] {
        let report = Given::file(file).examine();
        assert!(report.is_usable());
        let warned = |problem: &Problem| {
            problem.key == "server.public_url" && problem.severity == Severity::Warning
        };
        assert!(report.problems.iter().any(warned), "{file}");
    }
}

#[test]
fn a_certificate_and_a_key_that_do_not_belong_together_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let [certificate, key, other] = ["c.pem", "k.pem", "o.pem"].map(|n| directory.path().join(n));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let stranger = rcgen::KeyPair::generate().unwrap();
    fs::write(&other, stranger.serialize_pem()).unwrap();
    let with_key = |key: &Path| {
        Config::from_toml(&format!(
            "[server]\ntls_certificate = {certificate:?}\ntls_key = {key:?}\n"
        ))
    };
    assert!(with_key(&key).is_ok());
    assert!(with_key(&other).is_err());
    assert!(with_key(&certificate).is_err());
}

#[test]
fn challenges_by_mail_say_what_they_lack_and_show_no_password() {
    let given = Given::file(
        "[email_challenge]\nfrom = \"acme@ca.example.org\"\nsmtp_host = \"mail.example.org\"\n\
         smtp_username = \"acme\"\nsmtp_password = \"a canary\"\ndkim_domain = \"ca.example.org\"\n",
    );
    let report = given.examine();
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let told = told.join("\n");
    for lack in ["imap_host", "domain, selector and key"] {
        assert!(told.contains(lack), "{lack}: {told}");
    }
    let password = row(&report, "email_challenge.smtp_password");
    assert_eq!(password.value, MASK);
    let whole = Given::file(
        "[email_challenge]\nfrom = \"acme@ca.example.org\"\nsmtp_host = \"mail.example.org\"\n\
         imap_host = \"mail.example.org\"\nimap_username = \"acme\"\nimap_password = \"a canary\"\n",
    );
    let report = whole.examine();
    assert!(report.is_usable(), "{:?}", report.problems);
    let email = report.config.email_challenge.unwrap();
    assert!(email.require_dkim && email.imap_tls && email.smtp.login.is_none());
    assert!(Config::default().email_challenge.is_none());
}
