//! What OpenSSL makes of our certificates, CRLs and OCSP responses.

use std::path::{Path, PathBuf};

use super::process::{run, succeed, tool};
use super::site::Site;

/// A certificate chain as a client stored it, taken apart.
pub struct Issued {
    pub leaf: PathBuf,
    /// The certificate that signed the leaf.
    pub issuer: PathBuf,
    /// Everything but the leaf.
    upper: PathBuf,
}

impl Issued {
    /// Takes a PEM file with leaf and intermediates apart.
    pub fn read(site: &Site, chain: &Path) -> Self {
        let text = std::fs::read_to_string(chain)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", chain.display(), site.log()));
        Self::from_pem(site, &text)
    }

    /// The same from the text.
    pub fn from_pem(site: &Site, chain: &str) -> Self {
        let folder = tempfile::tempdir_in(&site.folder).unwrap().keep();
        let certificates: Vec<&str> = chain
            .split_inclusive(END)
            .filter(|pem| pem.contains(END))
            .collect();
        assert!(certificates.len() >= 2, "a leaf with its issuer:\n{chain}");
        let write = |name: &str, certificates: &[&str]| {
            let path = folder.join(name);
            std::fs::write(&path, certificates.concat() + "\n").unwrap();
            path
        };
        Self {
            leaf: write("leaf.pem", &certificates[..1]),
            issuer: write("issuer.pem", &certificates[1..2]),
            upper: write("upper.pem", &certificates[1..]),
        }
    }

    /// Checks the chain up to the server's root, for TLS servers of this name or address.
    pub async fn verify_for(&self, site: &Site, name: &str) {
        let option = match name.parse::<std::net::IpAddr>() {
            Ok(_) => "-verify_ip",
            Err(_) => "-verify_hostname",
        };
        let mut verify = tool("openssl");
        verify.args([
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            option,
            name,
        ]);
        verify.arg("-CAfile").arg(site.root());
        succeed(verify.arg("-untrusted").arg(&self.upper).arg(&self.leaf)).await;
    }

    /// The chain, and that no CRL of leaf and intermediates names them.
    pub async fn verify_with_crls(&self, site: &Site) -> bool {
        let mut verify = tool("openssl");
        verify.args(["verify", "-x509_strict", "-crl_check_all"]);
        verify.arg("-CAfile").arg(site.root());
        for certificate in [&self.leaf, &self.issuer] {
            verify
                .arg("-CRLfile")
                .arg(self.crl_of(site, certificate).await);
        }
        let ended = run(verify.arg("-untrusted").arg(&self.upper).arg(&self.leaf)).await;
        assert!(
            ended.succeeded || ended.said.contains("certificate revoked"),
            "{}",
            ended.said
        );
        ended.succeeded
    }

    /// The CRL that a certificate points to, as a PEM file.
    pub async fn crl_of(&self, site: &Site, certificate: &Path) -> PathBuf {
        let mut show = tool("openssl");
        show.args(["x509", "-noout", "-ext", "crlDistributionPoints", "-in"]);
        let text = succeed(show.arg(certificate)).await;
        let url = text
            .split("URI:")
            .nth(1)
            .unwrap_or_else(|| panic!("no CRL in {text}"));
        let url = site.reach(url.split_whitespace().next().unwrap());
        let der = site
            .get(&url)
            .await
            .unwrap_or_else(|| panic!("no CRL at {url}"));
        let path = certificate.with_extension("crl.der");
        std::fs::write(&path, der).unwrap();
        let pem = certificate.with_extension("crl.pem");
        let mut convert = tool("openssl");
        convert.args(["crl", "-inform", "DER", "-in"]).arg(&path);
        succeed(convert.arg("-out").arg(&pem)).await;
        pem
    }

    /// What OCSP says of the leaf: `good`, `revoked` or `unknown`. OpenSSL checks signature, nonce and times.
    pub async fn ocsp_status(&self, site: &Site) -> String {
        let mut show = tool("openssl");
        show.args(["x509", "-noout", "-ocsp_uri", "-in"]);
        let url = site.reach(succeed(show.arg(&self.leaf)).await.trim());
        let mut ask = tool("openssl");
        ask.arg("ocsp").arg("-issuer").arg(&self.issuer);
        ask.arg("-cert").arg(&self.leaf).args(["-url", &url]);
        ask.arg("-CAfile").arg(site.root());
        ask.arg("-respout")
            .arg(self.leaf.with_extension("ocsp.der"));
        let ended = run(&mut ask).await;
        assert!(ended.said.contains("Response verify OK"), "{}", ended.said);
        assert!(!ended.said.contains("WARNING"), "{}", ended.said);
        let marker = format!("{}: ", self.leaf.display());
        let status = ended
            .output
            .split(&marker)
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        status
            .unwrap_or_else(|| panic!("{}", ended.said))
            .to_owned()
    }

    /// The text of the leaf.
    pub async fn text(&self) -> String {
        succeed(
            tool("openssl")
                .args(["x509", "-noout", "-text", "-in"])
                .arg(&self.leaf),
        )
        .await
    }
}

/// The serial of the first certificate in a PEM file.
pub async fn serial(pem: &Path) -> String {
    succeed(
        tool("openssl")
            .args(["x509", "-noout", "-serial", "-in"])
            .arg(pem),
    )
    .await
}

const END: &str = "-----END CERTIFICATE-----";
