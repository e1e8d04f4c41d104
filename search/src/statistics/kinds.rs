//! Kinds of products, without a list of them: products of one kind have the same attributes. Which attributes
//! go with a word of the titles tells how well a product fits the word: most products with `laptop` in the
//! title and a processor are laptops, and a bag has no processor.
//!
//! The fit is a naive Bayes estimate: over the attributes of a product, the mean of ln(P(attribute | word) /
//! P(attribute)), with the counts smoothed towards the catalog's.

use super::{IndexError, names::Names, remembered};
use crate::{
    columns::OpenedColumn,
    segments::Segments,
    tenant::{holding, within},
};
use schemas::ids::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tantivy::{
    DocAddress, DocSet, TERMINATED, Term,
    collector::Count,
    query::{EnableScoring, Query},
};

/// Weight of the catalog's own frequencies against a word's.
const SMOOTHING: f64 = 20.0;
/// The same against a handful of products.
const SMOOTHING_OF_FEW: f64 = 5.0;
/// Documents of a word that are looked at.
const SAMPLE: u64 = 2_000;
/// Words that are remembered.
const WORDS: usize = 10_000;

/// Which attributes go with which words, of one tenant.
#[derive(Debug)]
pub struct Kinds {
    tenant: Term,
    documents: f64,
    names: Names,
    profiles: Mutex<HashMap<String, Arc<Profile>>>,
}

/// The attributes that go with a word, or with some products.
#[derive(Debug, Default)]
pub struct Profile {
    share: f64,
    smoothing: f64,
    attributes: HashMap<u32, f64>,
}

impl Kinds {
    /// Counts the attributes of a tenant's products.
    pub(super) fn collect(segments: &Segments, tenant: TenantId) -> Result<Self, IndexError> {
        let (names, total) = Names::collect(segments, tenant)?;
        #[expect(clippy::cast_precision_loss, reason = "a count of documents")]
        let documents = total.max(1) as f64;
        let tenant = segments.fields.tenant_term(tenant);
        Ok(Self { tenant, documents, names, profiles: Mutex::default() })
    }

    /// Looks at the words that others have looked at.
    pub(super) fn prefetch(&self, segments: &Segments, others: &Self) -> Result<(), IndexError> {
        remembered(&others.profiles).iter().try_for_each(|word| self.profile(segments, word).map(|_| ()))
    }

    /// The attributes that go with a word of the titles.
    ///
    /// # Errors
    /// The engine's.
    #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
    pub fn profile(&self, segments: &Segments, word: &str) -> Result<Arc<Profile>, IndexError> {
        if let Some(known) = self.profiles.lock().unwrap_or_else(PoisonError::into_inner).get(word) {
            return Ok(Arc::clone(known));
        }
        let searcher = &segments.searcher;
        let term = Term::from_field_text(segments.fields.title, word);
        let query = within(&self.tenant, holding(&term));
        let step = (searcher.search(&query, &Count)? as u64 / SAMPLE).max(1);
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        let (mut members, mut looked_at) = (0_u64, 0_u64);
        let mut counted: HashMap<u32, u64> = HashMap::new();
        for segment in searcher.segment_readers() {
            let Some(column) = segment.fast_fields().str("names")? else { continue };
            let mut found = weight.scorer(segment, 1.0)?;
            while found.doc() != TERMINATED {
                let doc = found.doc();
                found.advance();
                if segment.alive_bitset().is_some_and(|alive| !alive.is_alive(doc)) {
                    continue;
                }
                members += 1;
                if members % step == 0 {
                    looked_at += 1;
                    for number in self.names.numbers_of(segment, &column, doc)? {
                        *counted.entry(number).or_default() += 1;
                    }
                }
            }
        }
        let share = (members as f64 / self.documents).min(1.0);
        let scale = members as f64 / looked_at.max(1) as f64;
        let counted = counted.into_iter().map(|(number, count)| (number, count as f64 * scale));
        let profile = Arc::new(self.of_counts(share, SMOOTHING, counted));
        let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        if profiles.len() >= WORDS {
            profiles.clear();
        }
        profiles.insert(word.to_owned(), Arc::clone(&profile));
        Ok(profile)
    }

    /// The attributes that go with some products, each of which counts by its weight.
    ///
    /// # Errors
    /// The engine's.
    pub fn of_products(&self, segments: &Segments, products: &[(DocAddress, f32)]) -> Result<Profile, IndexError> {
        let (mut weights, mut counted) = (0.0, HashMap::new());
        for (at, weight) in products {
            let weight = f64::from(*weight);
            weights += weight;
            for number in self.names_at(segments, *at)? {
                *counted.entry(number).or_insert(0.0) += weight;
            }
        }
        Ok(self.of_counts((weights / self.documents).min(1.0), SMOOTHING_OF_FEW, counted))
    }

    fn of_counts(&self, share: f64, smoothing: f64, counted: impl IntoIterator<Item = (u32, f64)>) -> Profile {
        let odds = |(number, count)| (number, self.odds(number, count, share, smoothing));
        Profile { share, smoothing, attributes: counted.into_iter().map(odds).collect() }
    }

    /// How well a product fits the words, by its attributes: above 0 where they go together, below where they
    /// don't, 0 where nothing is known.
    ///
    /// # Errors
    /// The engine's.
    #[expect(clippy::cast_precision_loss, reason = "counts of attributes")]
    pub fn fit(&self, segments: &Segments, profiles: &[Arc<Profile>], at: DocAddress) -> Result<f64, IndexError> {
        let names = self.names_at(segments, at)?;
        let known: Vec<&Arc<Profile>> = profiles.iter().filter(|profile| profile.share > 0.0).collect();
        if names.is_empty() || known.is_empty() {
            return Ok(0.0);
        }
        let of = |profile: &Profile, number: u32| {
            profile
                .attributes
                .get(&number)
                .copied()
                .unwrap_or_else(|| self.odds(number, 0.0, profile.share, profile.smoothing))
        };
        let sum: f64 = known.iter().flat_map(|profile| names.iter().map(|number| of(profile, *number))).sum();
        Ok(sum / (known.len() * names.len()) as f64)
    }

    /// The attributes of one product.
    fn names_at(&self, segments: &Segments, at: DocAddress) -> Result<Vec<u32>, IndexError> {
        let segment = segments.searcher.segment_reader(at.segment_ord);
        let columns = segments.columns.opened(segment, "names")?;
        let Some(column) = columns.iter().find_map(OpenedColumn::str) else { return Ok(Vec::new()) };
        self.names.numbers_of(segment, column, at.doc_id)
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of documents")]
    fn odds(&self, number: u32, count: f64, share: f64, smoothing: f64) -> f64 {
        let all = self.names.count(number) as f64;
        ((count + smoothing * share) / (all + smoothing) / share).ln()
    }
}
