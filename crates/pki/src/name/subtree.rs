//! Name constraints of a CA certificate, RFC 5280 section 4.2.1.10.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::DistinguishedName;
use crate::asn1::{Reader, Tlv, Writer, tag};
use crate::name::GeneralNameError;

/// What a CA may certify, and what it may not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameConstraints {
    /// If there is a subtree of a form here, names of that form must lie in one of them.
    #[serde(default)]
    pub permitted: Vec<NameSubtree>,
    /// Names must lie in none of these.
    #[serde(default)]
    pub excluded: Vec<NameSubtree>,
}

/// All names of one form below one point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum NameSubtree {
    /// A domain and everything below; empty for all of them
    Dns(String),
    /// A network
    Ip {
        /// Any address of the network.
        address: IpAddr,
        /// How many leading bits count.
        prefix: u8,
    },
    /// A mailbox, a host, or with a leading dot a domain
    Email(String),
    /// A host, or with a leading dot a domain
    Uri(String),
    /// A distinguished name and everything below
    Directory(DistinguishedName),
}

impl NameConstraints {
    /// Whether there is no constraint at all; such an extension must not be written.
    pub fn is_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), GeneralNameError> {
        self.permitted
            .iter()
            .chain(&self.excluded)
            .try_for_each(NameSubtree::check)
    }

    pub(crate) fn encode(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            for (number, subtrees) in [(0, &self.permitted), (1, &self.excluded)] {
                if !subtrees.is_empty() {
                    w.constructed(number, |w| {
                        for subtree in subtrees {
                            // minimum is the default 0, maximum is never written
                            w.sequence(|w| subtree.encode(w));
                        }
                    });
                }
            }
        });
    }

    pub(crate) fn read(der: &[u8]) -> Result<Self, GeneralNameError> {
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let mut sides = [Vec::new(), Vec::new()];
        for (number, side) in (0..).zip(&mut sides) {
            let Some(list) = fields.optional(tag::constructed(number))? else {
                continue;
            };
            let mut list = Reader::new(list.content);
            while !list.is_empty() {
                let mut subtree = list.sequence()?;
                side.push(NameSubtree::read(subtree.read()?)?);
                subtree.finish()?;
            }
        }
        fields.finish()?;
        let [permitted, excluded] = sides;
        Ok(Self {
            permitted,
            excluded,
        })
    }
}

impl NameSubtree {
    fn check(&self) -> Result<(), GeneralNameError> {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) if !text.is_ascii() => {
                Err(GeneralNameError::NotAscii(text.clone()))
            }
            Self::Ip { address, prefix } if *prefix > bits(address) => {
                Err(GeneralNameError::IpLength(usize::from(*prefix)))
            }
            Self::Dns(_) | Self::Email(_) | Self::Uri(_) | Self::Ip { .. } | Self::Directory(_) => {
                Ok(())
            }
        }
    }

    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Email(text) => writer.tlv(tag::primitive(1), text.as_bytes()),
            Self::Dns(text) => writer.tlv(tag::primitive(2), text.as_bytes()),
            Self::Directory(name) => writer.nested(tag::constructed(4), |w| name.encode(w)),
            Self::Uri(text) => writer.tlv(tag::primitive(6), text.as_bytes()),
            Self::Ip { address, prefix } => {
                let octets = octets(address);
                let mask: Vec<u8> = (0..octets.len()).map(|i| mask_octet(*prefix, i)).collect();
                // RFC 5280 does not ask for it, but a network is written without host bits.
                let network = octets.iter().zip(&mask).map(|(octet, mask)| octet & mask);
                let content: Vec<u8> = network.chain(mask.iter().copied()).collect();
                writer.tlv(tag::primitive(7), &content);
            }
        }
    }

    fn read(element: Tlv<'_>) -> Result<Self, GeneralNameError> {
        let text = || {
            let text = String::from_utf8_lossy(element.content).into_owned();
            if text.is_ascii() {
                Ok(text)
            } else {
                Err(GeneralNameError::NotAscii(text))
            }
        };
        match element.tag & 0x1f {
            1 => text().map(Self::Email),
            2 => text().map(Self::Dns),
            4 => Ok(Self::Directory(DistinguishedName::from_der(
                element.content,
            )?)),
            6 => text().map(Self::Uri),
            7 => read_network(element.content),
            other => Err(GeneralNameError::Unsupported(other)),
        }
    }
}

fn read_network(content: &[u8]) -> Result<NameSubtree, GeneralNameError> {
    let wrong = GeneralNameError::IpLength(content.len());
    let (address, mask) = content.split_at(content.len() / 2);
    let prefix: u32 = mask.iter().map(|octet| octet.leading_ones()).sum();
    let contiguous = (0..mask.len()).all(|i| mask[i] == mask_octet(prefix as u8, i));
    let address = match (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address)) {
        (Ok(v4), _) => IpAddr::from(v4),
        (_, Ok(v6)) => IpAddr::from(v6),
        (Err(_), Err(_)) => return Err(wrong),
    };
    if contiguous && content.len().is_multiple_of(2) {
        Ok(NameSubtree::Ip {
            address,
            prefix: prefix as u8,
        })
    } else {
        Err(wrong)
    }
}

fn mask_octet(prefix: u8, index: usize) -> u8 {
    let ones = usize::from(prefix).saturating_sub(index * 8).min(8);
    (0xff00_u16 >> ones) as u8
}

fn bits(address: &IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn octets(address: &IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn constraints_read_back() {
        let constraints = NameConstraints {
            permitted: vec![
                NameSubtree::Dns("example.org".into()),
                NameSubtree::Ip {
                    address: "10.32.0.0".parse().unwrap(),
                    prefix: 11,
                },
                NameSubtree::Directory(DistinguishedName::parse("O=Example").unwrap()),
            ],
            excluded: vec![
                NameSubtree::Ip {
                    address: "::".parse().unwrap(),
                    prefix: 0,
                },
                NameSubtree::Email(".example.org".into()),
                NameSubtree::Uri("example.org".into()),
            ],
        };
        constraints.check().unwrap();
        let der = Writer::encode(|w| constraints.encode(w));
        assert_eq!(NameConstraints::read(&der).unwrap(), constraints);
    }

    #[test]
    fn a_mask_with_holes_is_refused() {
        assert!(read_network(&[10, 0, 0, 0, 255, 0, 255, 0]).is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = NameConstraints::read(&octets);
            let _ = read_network(&octets);
        }
    }
}
