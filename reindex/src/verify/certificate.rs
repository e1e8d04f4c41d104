//! The certificate of a verification: what was compared, at which offsets, by whom; signed, and kept with the
//! generation.

use crate::{Failure, vectors::VectorProof};
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use schemas::Timestamp;
use search::{bundle::Change, digest::FieldTotals};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use std::{collections::BTreeMap, fmt, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// A difference that the plan declared, with how much it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The field of the index.
    pub field: String,
    /// What it holds in the active generation.
    pub before: FieldTotals,
    /// What it holds in this one.
    pub after: FieldTotals,
}

/// A node's copy of the generation, as it was at the offsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeProof {
    /// Documents that shoppers can find.
    pub documents: u64,
    /// As the certificate's.
    pub digest: String,
}

/// The proof that a generation may be promoted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The generation.
    pub generation: String,
    /// Its bundle's name.
    pub bundle: String,
    /// Its bundle's hash.
    pub bundle_hash: String,
    /// The generation it was compared with.
    pub basis: String,
    /// That one's bundle's hash.
    pub basis_bundle_hash: String,
    /// Where both stood: topic, partition and next offset; the range of events is from the beginning to there.
    pub offsets: Value,
    /// Documents that shoppers can find, over all tenants.
    pub documents: u64,
    /// By tenant.
    pub tenants: BTreeMap<String, u64>,
    /// Over all live documents, without the fields whose terms were declared to differ.
    pub digest: String,
    /// By tenant and field: documents, and terms of documents; for facets the totals of their counts.
    pub fields: BTreeMap<String, BTreeMap<String, FieldTotals>>,
    /// In which settings the bundles differ.
    pub changes: Vec<Change>,
    /// What that came to, by field.
    pub declared: Vec<Declared>,
    /// That its vectors are whole, where they are not those of the generation in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors: Option<VectorProof>,
    /// The copies that were proved, by node; none in certificates of releases that proved one copy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, NodeProof>,
    /// Nodes that were gone, as sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Fields that were accepted to lose something.
    pub accepted: Vec<String>,
    /// Who verified.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// HMAC-SHA256 (RFC 2104) over the JSON of all above, in hexadecimal.
    pub signature: String,
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenants = self.tenants.len();
        writeln!(f, "{} ({}) against {}", self.generation, self.bundle, self.basis)?;
        writeln!(f, "  documents   {} of {tenants} {}", self.documents, if tenants == 1 { "shop" } else { "shops" })?;
        writeln!(f, "  digest      {}", self.digest)?;
        writeln!(f, "  offsets     {}", self.offsets)?;
        for change in &self.changes {
            writeln!(f, "  changes     {change}")?;
        }
        for declared in &self.declared {
            let (before, after) = (declared.before, declared.after);
            writeln!(
                f,
                "  declared    {}: {} -> {} documents, {} -> {} terms",
                declared.field, before.documents, after.documents, before.terms, after.terms
            )?;
        }
        for (node, proof) in &self.nodes {
            writeln!(f, "  on {node:<9} {} documents, digest {}", proof.documents, &proof.digest)?;
        }
        for gone in &self.left_out {
            writeln!(f, "  left out    {gone}")?;
        }
        if let Some(VectorProof { set, documents, sampled }) = &self.vectors {
            writeln!(f, "  vectors     {documents} of {set}; {sampled} texts hashed again")?;
        }
        writeln!(f, "  by          {}, {}", self.by, self.at.format("%Y-%m-%d %H:%M:%SZ"))
    }
}

impl Certificate {
    /// Signs it.
    ///
    /// # Errors
    /// If the key's file can't be read or made.
    pub fn signed(mut self, key: &Path) -> Result<Self, Failure> {
        self.signature.clear();
        self.signature = self.seal(&read_key(key)?)?;
        Ok(self)
    }

    /// Whether it is as it was signed.
    ///
    /// # Errors
    /// If the key's file can't be read.
    pub fn is_genuine(&self, key: &Path) -> Result<bool, Failure> {
        let bare = Self { signature: String::new(), ..self.clone() };
        Ok(bare.seal(&read_key(key)?)? == self.signature)
    }

    fn seal(&self, key: &[u8]) -> Result<String, Failure> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key).map_err(|error| Failure::Other(format!("the signing key: {error}")))?;
        // Through a value: numbers and members then are as they come back from the database.
        mac.update(serde_json::to_string(&serde_json::to_value(self)?)?.as_bytes());
        Ok(hex::encode(mac.finalize().into_bytes()))
    }
}

/// The key; made at random the first time, readable by its owner alone.
fn read_key(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::File(path.to_owned(), error.to_string());
    match std::fs::read(path) {
        Ok(key) if key.len() >= 32 => return Ok(key),
        Ok(_) => return Err(Failure::File(path.to_owned(), "a signing key has at least 32 bytes".to_owned())),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Err(_) => {}
    }
    let mut key = [0_u8; 32];
    rand::rng().fill_bytes(&mut key);
    // Two who are first at once agree on one: only one of them makes the file.
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(&key).map_err(failed)?;
            Ok(key.to_vec())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read(path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> Certificate {
        Certificate {
            generation: "g2".to_owned(),
            bundle: "shipped".to_owned(),
            bundle_hash: "h2".to_owned(),
            basis: "g1".to_owned(),
            basis_bundle_hash: "h1".to_owned(),
            offsets: serde_json::json!([["souk.documents.v1", 0, 7]]),
            documents: 7,
            tenants: BTreeMap::from([("t".to_owned(), 7)]),
            digest: "d".to_owned(),
            fields: BTreeMap::new(),
            changes: Vec::new(),
            declared: Vec::new(),
            vectors: None,
            nodes: BTreeMap::new(),
            left_out: Vec::new(),
            accepted: Vec::new(),
            by: "anna".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            signature: String::new(),
        }
    }

    #[test]
    fn a_certificate_that_was_altered_is_not_genuine() {
        let folder = std::env::temp_dir().join(format!("souk-key-{}", std::process::id()));
        let signed = certificate().signed(&folder).expect("signed");
        let kept: Certificate =
            serde_json::from_value(serde_json::to_value(&signed).expect("a value")).expect("read back");
        assert!(kept.is_genuine(&folder).expect("checked"));
        let altered = Certificate { documents: 8, ..kept };
        assert!(!altered.is_genuine(&folder).expect("checked"));
        std::fs::remove_file(folder).expect("removed");
    }
}
