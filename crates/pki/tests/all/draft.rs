//! A TBSCertificate in parts, to be broken on purpose and put together again.

use pki::asn1::{Reader, Writer, tag};

pub struct Draft {
    pub version: Vec<u8>,
    pub serial: Vec<u8>,
    pub signature: Vec<u8>,
    pub issuer: Vec<u8>,
    pub validity: Vec<u8>,
    pub subject: Vec<u8>,
    pub spki: Vec<u8>,
    pub unique_identifier: Vec<u8>,
    pub extensions: Vec<DraftExtension>,
}

#[derive(Clone)]
pub struct DraftExtension {
    pub oid: Vec<u8>,
    pub critical: bool,
    pub value: Vec<u8>,
}

impl Draft {
    pub fn of(tbs: &[u8]) -> Self {
        let mut fields = Reader::single(tbs).unwrap().open(tag::SEQUENCE).unwrap();
        let mut next = || fields.read().unwrap().der.to_vec();
        Self {
            version: next(),
            serial: next(),
            signature: next(),
            issuer: next(),
            validity: next(),
            subject: next(),
            spki: next(),
            unique_identifier: Vec::new(),
            extensions: read_extensions(&next()),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        Writer::encode(|w| {
            w.sequence(|w| {
                for field in [
                    &self.version,
                    &self.serial,
                    &self.signature,
                    &self.issuer,
                    &self.validity,
                    &self.subject,
                    &self.spki,
                    &self.unique_identifier,
                ] {
                    w.raw(field);
                }
                w.constructed(3, |w| w.sequence(|w| self.write_extensions(w)));
            });
        })
    }

    fn write_extensions(&self, w: &mut Writer) {
        for extension in &self.extensions {
            w.sequence(|w| {
                w.tlv(tag::OID, &extension.oid);
                if extension.critical {
                    w.boolean_true();
                }
                w.octet_string(&extension.value);
            });
        }
    }

    pub fn extension(&mut self, oid: &const_oid::ObjectIdentifier) -> &mut DraftExtension {
        self.extensions
            .iter_mut()
            .find(|extension| extension.oid == oid.as_bytes())
            .unwrap()
    }

    pub fn drop_extension(&mut self, oid: &const_oid::ObjectIdentifier) {
        self.extensions
            .retain(|extension| extension.oid != oid.as_bytes());
    }

    pub fn add_extension(
        &mut self,
        oid: &const_oid::ObjectIdentifier,
        critical: bool,
        value: &[u8],
    ) {
        self.extensions.push(DraftExtension {
            oid: oid.as_bytes().to_vec(),
            critical,
            value: value.to_vec(),
        });
    }
}

fn read_extensions(explicit: &[u8]) -> Vec<DraftExtension> {
    let mut outer = Reader::new(Reader::single(explicit).unwrap().content);
    let mut list = outer.sequence().unwrap();
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let mut fields = list.sequence().unwrap();
        extensions.push(DraftExtension {
            oid: fields.oid().unwrap().to_vec(),
            critical: fields.boolean_or_false().unwrap(),
            value: fields.octet_string().unwrap().to_vec(),
        });
    }
    extensions
}
