//! What stands in a certificate of this house: names, uses, and whose key signed it.

use counterfoil_data::certificate;
use rustls::pki_types::ServerName;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::{Ia5String, OctetString};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::{CaError, Holder};

/// `id-kp-serverAuth` and `id-kp-clientAuth` (RFC 5280 §4.2.1.12).
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// What is certified, and for which end of a connection.
pub(super) struct Names {
    names: SubjectAltName,
    usage: ObjectIdentifier,
}

/// The names of a holder.
pub(super) fn names(holder: &Holder) -> Result<Names, CaError> {
    let ia5 = |text: &str| Ia5String::new(text).map_err(|_| CaError::ServerName);
    let (name, usage) = match holder {
        Holder::Signer(signer) => {
            let uri = ia5(&certificate::uri(signer))?;
            (GeneralName::UniformResourceIdentifier(uri), CLIENT_AUTH)
        }
        Holder::Server(name) => match ServerName::try_from(name.as_str()) {
            Ok(ServerName::DnsName(name)) => {
                (GeneralName::DnsName(ia5(name.as_ref())?), SERVER_AUTH)
            }
            Ok(ServerName::IpAddress(address)) => {
                let address = std::net::IpAddr::from(address);
                let octets = match address {
                    std::net::IpAddr::V4(four) => four.octets().to_vec(),
                    std::net::IpAddr::V6(six) => six.octets().to_vec(),
                };
                (
                    GeneralName::IpAddress(OctetString::new(octets)?),
                    SERVER_AUTH,
                )
            }
            _ => return Err(CaError::ServerName),
        },
    };
    Ok(Names {
        names: SubjectAltName(vec![name]),
        usage,
    })
}

/// What a certificate of ours holds; without names it is the authority's own.
pub(super) struct Entries {
    pub subject: Name,
    pub issuer: Option<Name>,
    pub names: Option<Names>,
}

impl BuilderProfile for Entries {
    fn get_issuer(&self, subject: &Name) -> Name {
        self.issuer.clone().unwrap_or_else(|| subject.clone())
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        issuer_key: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let mut all: Vec<Extension> = Vec::new();
        let subject = tbs.subject();
        let issuer = AuthorityKeyIdentifier {
            key_identifier: Some(SubjectKeyIdentifier::try_from(issuer_key)?.0),
            ..Default::default()
        };
        all.push(SubjectKeyIdentifier::try_from(key)?.to_extension(subject, &all)?);
        all.push(issuer.to_extension(subject, &all)?);
        let is_ca = self.names.is_none();
        let usage = match is_ca {
            true => KeyUsages::KeyCertSign | KeyUsages::CRLSign,
            false => KeyUsages::DigitalSignature.into(),
        };
        all.push(KeyUsage(usage).to_extension(subject, &all)?);
        let constraints = BasicConstraints {
            ca: is_ca,
            path_len_constraint: is_ca.then_some(0),
        };
        all.push(constraints.to_extension(subject, &all)?);
        if let Some(names) = &self.names {
            all.push(ExtendedKeyUsage(vec![names.usage]).to_extension(subject, &all)?);
            all.push(names.names.to_extension(subject, &all)?);
        }
        Ok(all)
    }
}
