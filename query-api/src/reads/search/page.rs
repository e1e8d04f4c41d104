//! What a search found, as it is kept and sent.

use crate::{
    cache::{Weigh, bytes_by_json},
    example,
    steering::Shown,
};
use ::search::{
    query::{Correction, FacetCounts, Hint, Hit, Relaxed},
    searcher::{Mode, SearchAnswer},
    understand::Understood,
};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SearchPage {
    /// How many products match, on all pages.
    pub total: usize,
    /// The products of this page, best first.
    pub hits: Vec<Hit>,
    /// The facets that were asked for, in that order.
    pub facets: Vec<FacetCounts>,
    /// How the hits were looked for.
    pub mode: Mode,
    /// The index generation that answered.
    pub generation: String,
    /// A number that grows with each state of the index.
    pub data_version: u64,
    /// What staff's definitions did and show.
    #[serde(flatten)]
    pub shown: Shown,
    /// Words that no product holds, and what they were read as.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// What was read out of the text beside its words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub understood: Vec<Understood>,
    /// Attributes and categories in the filter that no product of the shop has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
    /// The time was up before everything was looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub partial: bool,
    /// No product has all of the words: how many of them had to match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relaxed: Option<Relaxed>,
    /// What to send as `cursor` for the next page, if one was sent and there is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// With `explain`: topic, partition and next offset up to where the index has the document topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_offsets: Option<Vec<(String, i32, i64)>>,
    /// What could not be done as asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
}

impl SearchPage {
    /// The page of what was found, before what else is known of it.
    pub fn new(found: SearchAnswer, mode: Mode, generation: String, data_version: u64, shown: Shown) -> Self {
        Self {
            total: found.total,
            hits: found.hits,
            facets: found.facets,
            mode,
            generation,
            data_version,
            shown,
            corrections: found.corrections,
            understood: found.understood,
            hints: found.hints,
            partial: found.partial,
            relaxed: found.relaxed,
            next: None,
            index_offsets: None,
            degraded: None,
        }
    }

    /// As the examples show it.
    pub fn example() -> Self {
        let answer = SearchAnswer {
            total: 12,
            hits: vec![Hit::new(2.25, example::card())],
            facets: vec![FacetCounts::example()],
            corrections: vec![Correction { written: "ketle".to_owned(), read: "kettle".to_owned() }],
            ..SearchAnswer::default()
        };
        Self::new(answer, Mode::Lexical, example::GENERATION.to_owned(), 4_294_967_297, Shown::default())
    }
}

impl Weigh for SearchPage {
    fn bytes(&self) -> usize {
        bytes_by_json(self)
    }
}

/// A page that the cache and an answer share.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared(pub Arc<SearchPage>);

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
