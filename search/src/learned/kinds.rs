//! Kinds of products, without a list of them: products of one kind have the same attributes. Which attributes
//! go with a word of the titles tells how well a product fits the word: most products with `laptop` in the
//! title and a processor are laptops, and a bag has no processor.
//!
//! The fit is a naive Bayes estimate: over the attributes of a product, the mean of ln(P(attribute | word) /
//! P(attribute)), with the counts smoothed towards the catalog's.

use super::{IndexError, counts, documents, text};
use crate::reader::Snapshot;
use schemas::ids::TenantId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use tantivy::{DocAddress, Term};

/// Weight of the catalog's own frequencies against a word's.
const SMOOTHING: f64 = 20.0;
/// Documents of a word that are looked at.
const SAMPLE: u64 = 2_000;
/// Words that are remembered.
const WORDS: usize = 10_000;

/// Which attributes go with which words, of one tenant.
#[derive(Debug)]
pub struct Kinds {
    tenant: TenantId,
    documents: f64,
    attributes: BTreeMap<String, u64>,
    profiles: Mutex<HashMap<String, Arc<Profile>>>,
}

/// The attributes that go with a word.
#[derive(Debug, Default)]
pub struct Profile {
    share: f64,
    attributes: HashMap<String, f64>,
}

impl Kinds {
    /// Counts the attributes of a tenant's products.
    pub(super) fn learn(snapshot: &Snapshot, tenant: TenantId) -> Result<Self, IndexError> {
        let term = Term::from_field_text(snapshot.fields.tenant, &tenant.to_string());
        let mut total = 0_u64;
        for segment in snapshot.searcher.segment_readers() {
            documents(segment, &term, |_| total += 1)?;
        }
        let attributes = counts(snapshot, tenant, "names")?;
        #[expect(clippy::cast_precision_loss, reason = "a count of documents")]
        let documents = total.max(1) as f64;
        Ok(Self { tenant, documents, attributes, profiles: Mutex::default() })
    }

    /// The attributes that go with a word of the titles.
    ///
    /// # Errors
    /// The engine's.
    #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
    pub fn profile(&self, snapshot: &Snapshot, word: &str) -> Result<Arc<Profile>, IndexError> {
        if let Some(known) = self.profiles.lock().unwrap_or_else(PoisonError::into_inner).get(word) {
            return Ok(Arc::clone(known));
        }
        let term = Term::from_field_text(snapshot.fields.title, word);
        let tenant = self.tenant.to_string();
        let (mut holding, mut looked_at) = (0_u64, 0_u64);
        let mut counted: HashMap<String, u64> = HashMap::new();
        let step = (snapshot.searcher.doc_freq(&term)? / SAMPLE).max(1);
        for segment in snapshot.searcher.segment_readers() {
            let (Some(names), Some(keys)) = (segment.fast_fields().str("names")?, segment.fast_fields().str("key")?)
            else {
                continue;
            };
            let mut of_segment: HashMap<u64, u64> = HashMap::new();
            let mut failed = None;
            documents(segment, &term, |doc| {
                let key = keys.term_ords(doc).next().map(|ord| text(&keys, ord));
                match key {
                    Some(Ok(key)) if !key.starts_with(&tenant) => return,
                    Some(Err(error)) => failed = Some(error),
                    _ => {}
                }
                holding += 1;
                if holding % step == 0 {
                    looked_at += 1;
                    names.term_ords(doc).for_each(|ord| *of_segment.entry(ord).or_default() += 1);
                }
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
            for (ord, count) in of_segment {
                *counted.entry(text(&names, ord)?).or_default() += count;
            }
        }
        let share = (holding as f64 / self.documents).min(1.0);
        let scale = holding as f64 / looked_at.max(1) as f64;
        let odds = |name: &String, count: f64| self.odds(name, count, share);
        let attributes =
            counted.iter().map(|(name, count)| (name.clone(), odds(name, *count as f64 * scale))).collect();
        let profile = Arc::new(Profile { share, attributes });
        let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        if profiles.len() >= WORDS {
            profiles.clear();
        }
        profiles.insert(word.to_owned(), Arc::clone(&profile));
        Ok(profile)
    }

    /// How well a product fits the words, by its attributes: above 0 where they go together, below where they
    /// don't, 0 where nothing is known.
    ///
    /// # Errors
    /// The engine's.
    #[expect(clippy::cast_precision_loss, reason = "counts of attributes")]
    pub fn fit(&self, snapshot: &Snapshot, profiles: &[Arc<Profile>], at: DocAddress) -> Result<f64, IndexError> {
        let segment = snapshot.searcher.segment_reader(at.segment_ord);
        let Some(names) = segment.fast_fields().str("names")? else { return Ok(0.0) };
        let names: Vec<String> = names.term_ords(at.doc_id).map(|ord| text(&names, ord)).collect::<Result<_, _>>()?;
        let known: Vec<&Arc<Profile>> = profiles.iter().filter(|profile| profile.share > 0.0).collect();
        if names.is_empty() || known.is_empty() {
            return Ok(0.0);
        }
        let of = |profile: &Profile, name: &String| {
            profile.attributes.get(name).copied().unwrap_or_else(|| self.odds(name, 0.0, profile.share))
        };
        let sum: f64 = known.iter().flat_map(|profile| names.iter().map(|name| of(profile, name))).sum();
        Ok(sum / (known.len() * names.len()) as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of documents")]
    fn odds(&self, name: &str, count: f64, share: f64) -> f64 {
        let all = self.attributes.get(name).copied().unwrap_or(1) as f64;
        ((count + SMOOTHING * share) / (all + SMOOTHING) / share).ln()
    }
}
