//! What an index holds, as figures and digests that another index with the same content must give again: the
//! proof before a promotion, and the truth a rebuild is held against.
//!
//! The digest of a document has two parts: what is stored of it (card and variants), and its
//! terms, over every field (the stored description counts as one), as the sum of `SHA-256(field, term) * (2 * frequency + 1)` modulo 2^128. The sum is
//! the same in whichever order segments give the terms. Document versions are kept beside the digests, not in
//! them: a rebuild from events counts versions anew.

use crate::{IndexError, background::Throttle, columns, reader::Snapshot};
use schemas::ids::TenantId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tantivy::{
    DocSet, SegmentReader, TERMINATED, TantivyDocument,
    columnar::BytesColumn,
    postings::Postings,
    schema::{Field, IndexRecordOption, Value},
    store::StoreReader,
};

/// Fields that name a document rather than say something of it.
const NAMES: [&str; 2] = ["key", "tenant"];

/// What one field holds of one tenant's live documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldTotals {
    /// Documents with at least one term.
    pub documents: u64,
    /// Terms of documents, each counted once for a document: for facets, the total of their counts.
    pub terms: u64,
}

/// A document by what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Its version.
    pub version: u64,
    /// Whether shoppers can find it.
    pub live: bool,
    /// Of what is stored.
    pub content: u128,
    /// Of its terms, without those of the fields that were left out.
    pub terms: u128,
}

/// What an index holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DigestSet {
    /// By key, `tenant:product`; removed ones, too.
    pub documents: BTreeMap<String, Fingerprint>,
    /// By tenant and field.
    pub tenants: BTreeMap<String, BTreeMap<String, FieldTotals>>,
}

impl DigestSet {
    /// Documents that shoppers can find.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.documents.values().filter(|document| document.live).count() as u64
    }

    /// The SHA-256 over the live documents in the order of their keys, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (key, document) in self.documents.iter().filter(|(_, document)| document.live) {
            hash.update(key.as_bytes());
            hash.update(document.content.to_be_bytes());
            hash.update(document.terms.to_be_bytes());
        }
        hex::encode(hash.finalize())
    }

    /// Live documents by tenant.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for key in self.documents.iter().filter(|(_, document)| document.live).map(|(key, _)| key) {
            *counts.entry(key.split(':').next().unwrap_or_default()).or_default() += 1;
        }
        counts
    }

    /// One field over all tenants.
    #[must_use]
    pub fn field(&self, name: &str) -> FieldTotals {
        self.tenants.values().filter_map(|fields| fields.get(name)).fold(FieldTotals::default(), |sum, totals| {
            FieldTotals { documents: sum.documents + totals.documents, terms: sum.terms + totals.terms }
        })
    }
}

/// The digest set of a snapshot. The terms of the fields in `except` are left out of the fingerprints, not of
/// the totals; `*` stands for all. It takes seconds for a large shop, as the throttle allows.
///
/// # Errors
/// The engine's.
pub fn digest_set(snapshot: &Snapshot, except: &[String], throttle: &Throttle) -> Result<DigestSet, IndexError> {
    let mut set = DigestSet::default();
    for segment in snapshot.segments.searcher.segment_readers() {
        take(snapshot, segment, except, throttle, &mut set)?;
    }
    Ok(set)
}

fn take(
    snapshot: &Snapshot,
    segment: &SegmentReader,
    except: &[String],
    throttle: &Throttle,
    set: &mut DigestSet,
) -> Result<(), IndexError> {
    let documents = segment.max_doc() as usize;
    let mut sums = vec![0_u128; documents];
    let tenants = tenants(snapshot, segment)?;
    let names: Vec<String> = tenants.1.iter().map(ToString::to_string).collect();
    for (field, entry) in segment.schema().fields().filter(|(_, entry)| entry.is_indexed()) {
        if NAMES.contains(&entry.name()) {
            continue;
        }
        let is_left_out = except.iter().any(|left_out| left_out == entry.name() || left_out == "*");
        let mut totals = vec![FieldTotals::default(); names.len()];
        let mut counted = vec![false; documents];
        postings(segment, field, throttle, |term, doc, frequency| {
            let Some(tenant) = tenants.0[doc as usize] else { return };
            if !is_left_out {
                let sum = &mut sums[doc as usize];
                *sum = sum.wrapping_add(term.wrapping_mul(2 * u128::from(frequency) + 1));
            }
            totals[tenant].terms += 1;
            totals[tenant].documents += u64::from(!std::mem::replace(&mut counted[doc as usize], true));
        })?;
        for (name, added) in names.iter().zip(totals).filter(|(_, added)| added.terms > 0) {
            let fields = set.tenants.entry(name.clone()).or_default();
            let known = fields.entry(entry.name().to_owned()).or_default();
            known.documents += added.documents;
            known.terms += added.terms;
        }
    }
    let stored = Stored::open(snapshot, segment)?;
    let fast = segment.fast_fields();
    let Some(keys) = fast.str("key")? else { return Ok(()) };
    let names = columns::texts(keys.dictionary())?;
    let versions = fast.u64("version")?;
    for doc in segment.doc_ids_alive() {
        throttle.rest()?;
        let ord = keys.term_ords(doc).next().and_then(|ord| usize::try_from(ord).ok());
        let key = ord.and_then(|ord| names.get(ord)).cloned().unwrap_or_default();
        let live = tenants.0[doc as usize].is_some();
        let (content, description) = if live { stored.digests(doc)? } else { (0, 0) };
        if !except.iter().any(|left_out| left_out == "description" || left_out == "*") {
            let sum = &mut sums[doc as usize];
            *sum = sum.wrapping_add(description);
        }
        let version = versions.first(doc).unwrap_or_default();
        set.documents.insert(key, Fingerprint { version, live, content, terms: sums[doc as usize] });
    }
    Ok(())
}

/// The tenant of each live document, as a place in the list beside it.
fn tenants(snapshot: &Snapshot, segment: &SegmentReader) -> Result<(Vec<Option<usize>>, Vec<TenantId>), IndexError> {
    let (mut of, mut names) = (vec![None; segment.max_doc() as usize], Vec::new());
    let inverted = segment.inverted_index(snapshot.segments.fields.tenant)?;
    let mut terms = inverted.terms().stream()?;
    while terms.advance() {
        let Some(tenant) = std::str::from_utf8(terms.key()).ok().and_then(|text| text.parse().ok()) else { continue };
        let mut postings = inverted.read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
        while postings.doc() != TERMINATED {
            if segment.alive_bitset().is_none_or(|alive| alive.is_alive(postings.doc())) {
                of[postings.doc() as usize] = Some(names.len());
            }
            postings.advance();
        }
        names.push(tenant);
    }
    Ok((of, names))
}

/// Calls `each` with the hash of every term, a document that has it, and how often.
fn postings(
    segment: &SegmentReader,
    field: Field,
    throttle: &Throttle,
    mut each: impl FnMut(u128, u32, u32),
) -> Result<(), IndexError> {
    let name = segment.schema().get_field_name(field).to_owned();
    let inverted = segment.inverted_index(field)?;
    let mut terms = inverted.terms().stream()?;
    while terms.advance() {
        throttle.rest()?;
        let hash = Sha256::new().chain_update(&name).chain_update([0]).chain_update(terms.key()).finalize();
        let hash = first_half(&hash);
        let mut postings = inverted.read_postings_from_terminfo(terms.value(), IndexRecordOption::WithFreqs)?;
        while postings.doc() != TERMINATED {
            each(hash, postings.doc(), postings.term_freq());
            postings.advance();
        }
    }
    Ok(())
}

/// What a segment stores of its documents and can't be told from their terms.
struct Stored {
    store: StoreReader,
    card: Field,
    description: Field,
    variants: Option<BytesColumn>,
    /// Of each value of that column.
    of_variants: Vec<u128>,
}

impl Stored {
    fn open(snapshot: &Snapshot, segment: &SegmentReader) -> Result<Self, IndexError> {
        let variants = segment.fast_fields().bytes("variants")?;
        let hashed = |value: &[u8]| first_half(&Sha256::digest(value));
        let of_variants = variants
            .as_ref()
            .map_or_else(|| Ok(Vec::new()), |column| columns::each_term(column.dictionary(), hashed))?;
        let (card, description) = (snapshot.segments.fields.card, snapshot.segments.fields.description);
        Ok(Self { store: segment.get_store_reader(1)?, card, description, variants, of_variants })
    }

    /// Of card and variants; and of the description.
    fn digests(&self, doc: u32) -> Result<(u128, u128), IndexError> {
        let record: TantivyDocument = self.store.get(doc)?;
        let text =
            |field| record.get_first(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        let mut hash = Sha256::new().chain_update(text(self.card)).chain_update([0]);
        let ord = self.variants.as_ref().and_then(|column| column.term_ords(doc).next());
        if let Some(variants) = ord.and_then(|ord| usize::try_from(ord).ok()).and_then(|ord| self.of_variants.get(ord))
        {
            hash.update(variants.to_be_bytes());
        }
        let description = Sha256::digest(text(self.description));
        Ok((first_half(&hash.finalize()), first_half(&description)))
    }
}

fn first_half(hash: &[u8]) -> u128 {
    hash.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// A word that one index knows and another doesn't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostTerm {
    /// The word, as a term.
    pub term: String,
    /// Documents that have it where it is known.
    pub documents: u32,
}

/// The most frequent terms of a text field that documents of `old` have and no document of `new`, most frequent
/// first, at most `most`.
///
/// # Errors
/// The engine's.
pub fn lost_terms(old: &Snapshot, new: &Snapshot, field: &str, most: usize) -> Result<Vec<LostTerm>, IndexError> {
    let Ok(field) = old.segments.searcher.schema().get_field(field) else { return Ok(Vec::new()) };
    let mut known: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    for segment in old.segments.searcher.segment_readers() {
        let inverted = segment.inverted_index(field)?;
        let mut terms = inverted.terms().stream()?;
        while terms.advance() {
            *known.entry(terms.key().to_vec()).or_default() += terms.value().doc_freq;
        }
    }
    let mut frequent: Vec<(Vec<u8>, u32)> = known.into_iter().collect();
    frequent.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    let mut lost = Vec::new();
    for (key, documents) in frequent {
        let mut term = tantivy::Term::from_field_bytes(field, &[]);
        term.append_bytes(&key);
        if new.segments.searcher.doc_freq(&term)? == 0 {
            lost.push(LostTerm { term: String::from_utf8_lossy(&key).into_owned(), documents });
        }
        if lost.len() >= most {
            break;
        }
    }
    Ok(lost)
}
