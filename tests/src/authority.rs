//! An authority of a test, and the certificates that it signs.

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::{
        X509, X509NameBuilder,
        extension::{BasicConstraints, KeyUsage, SubjectAlternativeName},
    },
};
use std::{io, path::Path};

/// An authority that signs certificates of servers.
pub struct Authority {
    key: PKey<Private>,
    certificate: X509,
}

impl Authority {
    /// Draws an authority.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn draw() -> Result<Self, ErrorStack> {
        let key = key()?;
        let certificate = certificate(&key, "authority", None)?;
        Ok(Self { key, certificate })
    }

    /// Writes its own certificate, which clients are to trust.
    ///
    /// # Errors
    /// OpenSSL's, or the file's.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, self.certificate.to_pem()?)
    }

    /// Draws a key, and certifies it for a host's name.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn certify(&self, host: &str) -> Result<(PKey<Private>, X509), ErrorStack> {
        let key = key()?;
        let certificate = certificate(&key, host, Some(self))?;
        Ok((key, certificate))
    }
}

fn key() -> Result<PKey<Private>, ErrorStack> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&curve)?)
}

/// A certificate for two days: of a host by an authority, or of an authority by itself.
fn certificate(key: &PKey<Private>, name: &str, by: Option<&Authority>) -> Result<X509, ErrorStack> {
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_text("CN", name)?;
    let subject = subject.build();
    let mut made = X509::builder()?;
    made.set_version(2)?;
    made.set_serial_number(&*BigNum::from_u32(if by.is_some() { 2 } else { 1 })?.to_asn1_integer()?)?;
    made.set_subject_name(&subject)?;
    made.set_issuer_name(by.map_or(&*subject, |by| by.certificate.subject_name()))?;
    made.set_pubkey(key)?;
    made.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    made.set_not_after(&*Asn1Time::days_from_now(2)?)?;
    match by {
        Some(by) => {
            let host =
                SubjectAlternativeName::new().dns(name).build(&made.x509v3_context(Some(&*by.certificate), None))?;
            made.append_extension(host)?;
        }
        None => {
            made.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            made.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
        }
    }
    made.sign(by.map_or(key, |by| &by.key), MessageDigest::sha256())?;
    Ok(made.build())
}
