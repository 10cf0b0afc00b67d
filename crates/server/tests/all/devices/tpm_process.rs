//! A TPM 2.0 as a process (swtpm), spoken to by tpm2-tools.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pki::key::{KeyError, PublicKey, SignatureAlgorithm, SigningKey};
use tempfile::TempDir;

const KEY: &str = "0x81000001";
const ATTESTATION_KEY: &str = "0x81000002";

/// A TPM with an attestation key and a key that signs.
pub struct Tpm {
    process: Child,
    folder: TempDir,
    pub key: PublicKey,
    pub attestation_key: PublicKey,
}

/// What TPM2_Certify answers.
pub struct Certified {
    pub info: Vec<u8>,
    /// TPMT_SIGNATURE
    pub signature: Vec<u8>,
    /// TPMT_PUBLIC of the certified key
    pub area: Vec<u8>,
}

impl Tpm {
    /// Starts a TPM and makes its keys, as `attributes` say of the one that signs.
    pub fn start(attributes: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| format!("type=unixio,path={}", folder.path().join(name).display());
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
            .arg("--tpmstate")
            .arg(format!("dir={}", folder.path().display()))
            .args([
                "--server",
                &place("socket"),
                "--ctrl",
                &place("socket.ctrl"),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("swtpm is installed by scripts/install-test-tools.sh");
        let end = Instant::now() + Duration::from_secs(60);
        while !["socket", "socket.ctrl"]
            .iter()
            .all(|name| folder.path().join(name).exists())
        {
            assert!(Instant::now() < end, "swtpm does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        let at = folder.path();
        run(at, "tpm2_createek -c ek.ctx -G ecc -u ek.pub");
        run(
            at,
            "tpm2_createak -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub",
        );
        run(at, "tpm2_flushcontext -t");
        run(
            at,
            &format!("tpm2_evictcontrol -C o -c ak.ctx {ATTESTATION_KEY}"),
        );
        run(at, "tpm2_flushcontext -t");
        run(at, "tpm2_createprimary -C o -G ecc -c primary.ctx");
        run(
            at,
            &format!(
                "tpm2_create -C primary.ctx -G ecc256 -u key.pub -r key.priv -c key.ctx -a {attributes}"
            ),
        );
        run(at, "tpm2_flushcontext -t");
        run(at, &format!("tpm2_evictcontrol -C o -c key.ctx {KEY}"));
        run(at, "tpm2_flushcontext -t");
        let (key, attestation_key) = (public(at, KEY), public(at, ATTESTATION_KEY));
        Self {
            process,
            folder,
            key,
            attestation_key,
        }
    }

    /// TPM2_Certify with qualifying data, which the tool of that name cannot give.
    pub fn certify(&self, qualifying: &[u8]) -> Certified {
        let session = [&[0x40, 0, 0, 9], [0; 5].as_slice()].concat();
        let mut body = vec![0x81, 0, 0, 1, 0x81, 0, 0, 2, 0, 0, 0, 18];
        body.extend([session.clone(), session].concat());
        body.extend(u16::try_from(qualifying.len()).unwrap().to_be_bytes());
        body.extend(qualifying);
        body.extend([0, 0x10]);
        let length = u32::try_from(body.len() + 10).unwrap().to_be_bytes();
        let command = [&[0x80, 2], length.as_slice(), &[0, 0, 1, 0x48], &body].concat();
        let at = self.folder.path();
        std::fs::write(at.join("command"), command).unwrap();
        run(at, "tpm2_send -o response command");
        let response = std::fs::read(at.join("response")).unwrap();
        assert_eq!(response[6..10], [0; 4], "the TPM certifies");
        let length = u32::from_be_bytes(response[10..14].try_into().unwrap()) as usize;
        let parameters = &response[14..14 + length];
        let info = usize::from(u16::from_be_bytes([parameters[0], parameters[1]]));
        let area = std::fs::read(at.join("key.pub")).unwrap();
        Certified {
            info: parameters[2..2 + info].to_vec(),
            signature: parameters[2 + info..].to_vec(),
            area: area[2..].to_vec(),
        }
    }
}

impl SigningKey for Tpm {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::EcdsaSha256
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let at = self.folder.path();
        std::fs::write(at.join("message"), message).unwrap();
        run(
            at,
            &format!("tpm2_sign -c {KEY} -g sha256 -f plain -o signature message"),
        );
        Ok(std::fs::read(at.join("signature")).unwrap())
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn public(at: &Path, handle: &str) -> PublicKey {
    run(
        at,
        &format!("tpm2_readpublic -c {handle} -f der -o public.der"),
    );
    PublicKey::from_spki_der(&std::fs::read(at.join("public.der")).unwrap()).unwrap()
}

fn run(at: &Path, line: &str) {
    let mut words = line.split(' ');
    let told = Command::new(words.next().unwrap())
        .args(words)
        .current_dir(at)
        .env(
            "TPM2TOOLS_TCTI",
            format!("swtpm:path={}", at.join("socket").display()),
        )
        .output()
        .expect("tpm2-tools are installed by scripts/install-test-tools.sh");
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.success(), "{line}: {text}");
}
