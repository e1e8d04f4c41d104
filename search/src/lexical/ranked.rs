//! The order of the hits: by score or by a field, the best by score again by kind, and families spread out.

use super::{Searched, order};
use crate::{
    IndexError, analyzer,
    families::{self, Place},
    query::{Hit, HitCard, SearchRequest, Sort},
    reader::Snapshot,
    statistics::Profile,
};
use std::sync::Arc;
use tantivy::{
    DocAddress, Order, TantivyDocument,
    collector::{
        Count, TopDocs,
        sort_key::{SortByBytes, SortBySimilarityScore, SortByStaticFastValue},
    },
    query::Query,
    schema::Value,
};

/// Scores and places, in order, and how many match in all.
pub(super) type Ranked = (Vec<(f32, DocAddress)>, usize);

/// A hit on its way to the page.
#[derive(Debug)]
pub(super) struct Candidate {
    pub score: f32,
    pub at: DocAddress,
    /// If it had to be read for the order.
    pub card: Option<HitCard>,
    /// Whether others of its family went before it.
    pub behind: bool,
}

impl Candidate {
    /// The hit with its card alone.
    pub fn hit(self, snapshot: &Snapshot) -> Result<Hit, IndexError> {
        let card = match self.card {
            Some(card) => card,
            None => card(snapshot, self.at)?,
        };
        Ok(Hit::new(self.score, card))
    }
}

fn card(snapshot: &Snapshot, at: DocAddress) -> Result<HitCard, IndexError> {
    let record: TantivyDocument = snapshot.segments.searcher.doc(at)?;
    let card = record.get_first(snapshot.segments.fields.card).and_then(|value| value.as_str()).unwrap_or_default();
    Ok(serde_json::from_str(card).map_err(std::io::Error::from)?)
}

fn unscored<K>((found, total): (Vec<(K, DocAddress)>, usize)) -> Ranked {
    (found.into_iter().map(|(_, at)| (0.0, at)).collect(), total)
}

impl Searched<'_> {
    /// Hits that are fetched before the page to bring the best in order again.
    pub(super) fn in_window(&self) -> usize {
        if self.reordered() { self.others.0 } else { 0 }
    }

    /// Whether the page lies where hits are brought in order again.
    pub(super) fn reordered(&self) -> bool {
        let ranking = self.ranking();
        self.request.sort == Sort::Relevance
            && (ranking.kind_boost > 0.0 || self.family_limit() > 0)
            && !self.plan.terms.is_empty()
            && self.others.1 > 0
            && self.others.0 < ranking.window
    }

    /// Most of a family in a page's worth; 0 for no limit: who asks for a code or another order gets that.
    fn family_limit(&self) -> usize {
        if self.plan.coded || self.request.sort != Sort::Relevance { 0 } else { self.ranking().family_limit }
    }

    /// The page of a query's matches, or everything from the best up to its end if it lies in the window.
    pub(super) fn ranked(&self, query: &dyn Query) -> Result<Ranked, IndexError> {
        let (searcher, request): (_, &SearchRequest) = (&self.snapshot.segments.searcher, self.request);
        let (offset, limit) = self.others;
        if limit == 0 {
            return Ok((Vec::new(), searcher.search(query, &Count)?));
        }
        let top = if self.reordered() {
            TopDocs::with_limit((offset + limit).max(self.ranking().window))
        } else {
            TopDocs::with_limit(limit).and_offset(offset)
        };
        let tie = (SortByStaticFastValue::<u64>::for_field("tie"), Order::Asc);
        Ok(match &request.sort {
            Sort::Relevance => {
                let (found, total) =
                    searcher.search(query, &(top.order_by(((SortBySimilarityScore, Order::Desc), tie)), Count))?;
                (found.into_iter().map(|((score, _), at)| (score, at)).collect(), total)
            }
            Sort::Shelf => {
                let by_title = (SortByBytes::for_field("title_sort"), Order::Asc);
                let preferred = ((SortBySimilarityScore, Order::Desc), by_title);
                let (found, total) = searcher.search(query, &(top.order_by((preferred, tie)), Count))?;
                (found.into_iter().map(|(((score, _), _), at)| (score, at)).collect(), total)
            }
            Sort::Title => {
                let by_title = (SortByBytes::for_field("title_sort"), Order::Asc);
                unscored(searcher.search(query, &(top.order_by((by_title, tie)), Count))?)
            }
            Sort::PriceAscending(currency) => {
                unscored(searcher.search(query, &(top.order_by((order::price(*currency, false), tie)), Count))?)
            }
            Sort::PriceDescending(currency) => {
                unscored(searcher.search(query, &(top.order_by((order::price(*currency, true), tie)), Count))?)
            }
            Sort::Newest => unscored(searcher.search(query, &(top.order_by((order::released(true), tie)), Count))?),
            Sort::Oldest => unscored(searcher.search(query, &(top.order_by((order::released(false), tie)), Count))?),
            Sort::Attribute(name) => {
                unscored(searcher.search(query, &(top.order_by((order::attribute(name, false), tie)), Count))?)
            }
            Sort::AttributeDescending(name) => {
                unscored(searcher.search(query, &(top.order_by((order::attribute(name, true), tie)), Count))?)
            }
        })
    }

    /// Brings the window in its order.
    pub(super) fn in_order(&self, mut ranked: Vec<(f32, DocAddress)>) -> Result<Vec<Candidate>, IndexError> {
        let end = if self.reordered() { ranked.len().min(self.ranking().window) } else { 0 };
        self.by_kind(&mut ranked[..end])?;
        let candidate = |(score, at)| Candidate { score, at, card: None, behind: false };
        let mut all: Vec<Candidate> = ranked.into_iter().map(candidate).collect();
        if end > self.family_limit() && self.family_limit() > 0 {
            for candidate in &mut all[..end] {
                candidate.card = Some(card(self.snapshot, candidate.at)?);
            }
            let cards: Vec<&HitCard> = all[..end].iter().filter_map(|candidate| candidate.card.as_ref()).collect();
            let places = self.spread(&cards);
            all = families::arranged(all, &places, |candidate| candidate.behind = true);
        }
        Ok(all)
    }

    /// The order in which the best hits stand so that a page isn't full of one family.
    #[must_use]
    pub fn spread(&self, cards: &[&HitCard]) -> Vec<Place> {
        let window = cards.len().min(self.ranking().window);
        let analyzer = analyzer::of_index(self.snapshot.segments.searcher.index());
        families::spread(analyzer, &cards[..window], self.family_limit())
    }

    /// Brings the best hits in order by how well their kind fits the words.
    fn by_kind(&self, window: &mut [(f32, DocAddress)]) -> Result<(), IndexError> {
        if window.is_empty() || self.ranking().kind_boost <= 0.0 {
            return Ok(());
        }
        let profiles = self.profiles()?;
        for (score, at) in &mut *window {
            *score += self.kind(&profiles, *at)?;
        }
        // A stable sort keeps equal ones in the order of their ties.
        window.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        Ok(())
    }

    /// What the words say of attributes.
    pub(super) fn profiles(&self) -> Result<Vec<Arc<Profile>>, IndexError> {
        self.plan.terms.iter().map(|term| self.catalog.kinds.profile(&self.snapshot.segments, term)).collect()
    }

    pub(super) fn kind(&self, profiles: &[Arc<Profile>], at: DocAddress) -> Result<f32, IndexError> {
        #[expect(clippy::cast_possible_truncation, reason = "a score")]
        let fit = self.catalog.kinds.fit(&self.snapshot.segments, profiles, at)? as f32;
        Ok(fit * self.ranking().kind_boost)
    }
}
