//! MIT Kerberos: a KDC with two realms that trust each other, and a server's end that verifies tickets, both
//! as processes.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use tempfile::TempDir;
use testkit::adcs::{FakeAdcs, Verifier};
use tokio::net::TcpSocket;
use tokio::process::Command;

use super::bind::libraries;
use crate::interop::process::{Background, command, eventually, succeed, tools};

pub const PASSWORD: &str = "Gr\u{fc}n-4711";
/// As far as clocks may be apart here: that of the server under test stands still.
pub const SKEW: Duration = Duration::from_secs(3600);
/// The realm of the users.
const REALM: &str = "CORP.TEST";
/// Where a service of another realm is.
const BRANCH: &str = "BRANCH.CORP.TEST";

/// The running KDC.
pub struct Kdc {
    pub address: SocketAddr,
    folder: TempDir,
    process: Option<Background>,
    _port: TcpSocket,
}

impl Kdc {
    /// Makes both realms with everybody in them, and starts the KDC.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It shares ports with whoever lets it, so holding one keeps it free for the KDC, and from everybody else.
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseport(true).unwrap();
        port.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = port.local_addr().unwrap();
        let mut kdc = Self {
            address,
            folder,
            process: None,
            _port: port,
        };
        kdc.write("krb5.conf", CLIENT);
        kdc.write("kdc.conf", SERVER);
        for realm in [REALM, BRANCH] {
            let mut create = kdc.program("usr/sbin/kdb5_util");
            create.args(["create", "-s", "-r", realm, "-P", "of the master key"]);
            succeed(&mut create).await;
            kdc.administer(
                realm,
                "addprinc -pw between-realms krbtgt/BRANCH.CORP.TEST@CORP.TEST",
            )
            .await;
        }
        kdc.populate().await;
        let mut server = kdc.program("usr/sbin/krb5kdc");
        server.args(["-n", "-r", REALM, "-r", BRANCH, "-P"]);
        server.arg(kdc.folder.path().join("pid"));
        let log = kdc.folder.path().join("kdc.log");
        let process = Background::start(&mut server, &log);
        let listens = async || tokio::net::TcpStream::connect(address).await.ok();
        eventually(listens, || process.log()).await;
        kdc.process = Some(process);
        kdc
    }

    async fn populate(&self) {
        for (user, options) in [
            ("svc-certwright", "+requires_preauth"),
            (
                "svc-sha384",
                "+requires_preauth -e aes256-cts-hmac-sha384-192:normal",
            ),
            ("svc-open", "-requires_preauth"),
            ("svc-disabled", "-allow_tix"),
            ("svc-expired", "-pwexpire 2020-01-01"),
            (
                "svc-aes128",
                "+requires_preauth -e aes128-cts-hmac-sha1-96:normal",
            ),
        ] {
            self.administer(REALM, &format!("addprinc -pw {PASSWORD} {options} {user}"))
                .await;
        }
        for (realm, service, keytab) in [
            (REALM, "HTTP/127.0.0.1", "http.keytab"),
            (BRANCH, "HTTP/ca.branch.corp.test", "http.keytab"),
            (REALM, "HTTP/elsewhere", "another.keytab"),
        ] {
            self.administer(realm, &format!("addprinc -randkey {service}"))
                .await;
            let keytab = self.folder.path().join(keytab);
            let add = format!("ktadd -k {} {service}", keytab.display());
            self.administer(realm, &add).await;
        }
    }

    async fn administer(&self, realm: &str, query: &str) {
        let mut kadmin = self.program("usr/sbin/kadmin.local");
        kadmin.args(["-r", realm, "-q", query]);
        succeed(&mut kadmin).await;
    }

    /// Nobody answers at its address any more.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// What AD CS lets users in with: whoever has a ticket for a service of ours, on that TLS connection.
    pub fn accept_for(&self, ca: &FakeAdcs) -> Arc<Mutex<Vec<String>>> {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &ca.certificate());
        let acceptor = self.acceptor(hash.as_ref());
        let users = Arc::clone(&acceptor.users);
        ca.verify_with(acceptor.verifier());
        users
    }

    /// A server's end of connections with a certificate of that hash.
    pub fn acceptor(&self, certificate: &[u8]) -> Acceptor {
        let packages = root().join("usr/lib/python3/dist-packages");
        let mut python = self.program_at("/usr/bin/python3".into()).into_std();
        python
            .args(["-c", ACCEPTOR, &HEXLOWER.encode(certificate)])
            .env("PYTHONPATH", packages)
            .env("KRB5_KTNAME", self.folder.path().join("http.keytab"))
            .env("KRB5RCACHEDIR", self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Acceptor {
            process: python.spawn().unwrap(),
            users: Arc::default(),
        }
    }

    fn write(&self, name: &str, text: &str) {
        let text = text
            .replace("FOLDER", &self.folder.path().display().to_string())
            .replace("LIBRARIES", &libraries(&root()).display().to_string())
            .replace("ADDRESS", &self.address.to_string());
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn program(&self, path: &str) -> Command {
        self.program_at(root().join(path))
    }

    fn program_at(&self, path: PathBuf) -> Command {
        let mut program = command(path);
        let libraries = libraries(&root());
        // Debian 12 has them in two places, of which one leads to the other where they are installed.
        let others = root().join("lib").join(libraries.file_name().unwrap());
        let path = std::env::join_paths([libraries, others]).unwrap();
        program
            .env("LD_LIBRARY_PATH", path)
            .env("KRB5_CONFIG", self.folder.path().join("krb5.conf"))
            .env("KRB5_KDC_PROFILE", self.folder.path().join("kdc.conf"));
        program
    }
}

fn root() -> PathBuf {
    tools().join("kerberos")
}

/// A process that accepts security contexts, one for each token.
pub struct Acceptor {
    process: Child,
    users: Arc<Mutex<Vec<String>>>,
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Acceptor {
    /// Asks the process about each token.
    pub fn verifier(mut self) -> Verifier {
        let mut input = self.process.stdin.take().unwrap();
        let mut output = BufReader::new(self.process.stdout.take().unwrap());
        Box::new(move |token| {
            writeln!(input, "{}", STANDARD.encode(token)).unwrap();
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            let words: Vec<&str> = line.trim_end_matches('\n').split(' ').collect();
            let answer = STANDARD.decode(words[2]).unwrap();
            self.users.lock().push(words[1].to_owned());
            match words[0] {
                "in" => Ok(answer),
                _ => Err(answer),
            }
        })
    }
}

/// Lets in whoever has a ticket, wants to know who we are, and sits at the other end of the same connection.
const ACCEPTOR: &str = r#"
import base64, sys
import gssapi
from gssapi.raw import ChannelBindings

# Errors are wanted where they happen.
gssapi.SecurityContext.__DEFER_STEP_ERRORS__ = False
bindings = ChannelBindings(application_data=b"tls-server-end-point:" + bytes.fromhex(sys.argv[1]))
wanted = gssapi.RequirementFlag.channel_bound | gssapi.RequirementFlag.mutual_authentication
for line in sys.stdin:
    verdict, user, answer = "out", "nobody", b""
    try:
        mine = gssapi.Credentials(usage="accept")
        context = gssapi.SecurityContext(creds=mine, usage="accept", channel_bindings=bindings)
        answer = context.step(base64.b64decode(line)) or b""
        user = str(context.initiator_name)
        if context.complete and context.actual_flags & wanted == wanted:
            verdict = "in"
    except gssapi.exceptions.GSSError as error:
        print(error, file=sys.stderr)
        answer = getattr(error, "token", None) or b""
    print(verdict, user, base64.b64encode(answer).decode(), flush=True)
"#;

const CLIENT: &str = "
[libdefaults]
default_realm = CORP.TEST
clockskew = 3600
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[domain_realm]
.branch.corp.test = BRANCH.CORP.TEST
[dbmodules]
db_module_dir = LIBRARIES/krb5/plugins/kdb
[logging]
kdc = STDERR
";

const SERVER: &str = r#"
[kdcdefaults]
kdc_listen = ""
kdc_tcp_listen = ADDRESS
[realms]
CORP.TEST = {
  database_name = FOLDER/corp
  key_stash_file = FOLDER/corp.stash
  supported_enctypes = aes256-cts-hmac-sha1-96:normal
  master_key_type = aes256-cts-hmac-sha1-96
}
BRANCH.CORP.TEST = {
  database_name = FOLDER/branch
  key_stash_file = FOLDER/branch.stash
  supported_enctypes = aes256-cts-hmac-sha1-96:normal
  master_key_type = aes256-cts-hmac-sha1-96
}
"#;
