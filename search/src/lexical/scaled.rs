//! Scores times the weights of what a product is: staff's boosts, popularity, stock, novelty.

use std::sync::Arc;
use tantivy::{
    DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term,
    query::{EnableScoring, Explanation, Query, QueryClone, Scorer, Weight},
};

/// A factor for some documents.
#[derive(Debug)]
pub struct Factor {
    /// What it is for, for explanations.
    pub part: String,
    /// Which documents.
    pub query: Box<dyn Query>,
    /// What their score is multiplied with.
    pub weight: f32,
}

/// A query whose scores are multiplied.
#[derive(Debug)]
pub struct Scaled {
    /// What matches.
    pub inner: Box<dyn Query>,
    /// All that apply to a document do.
    pub factors: Arc<[Factor]>,
}

impl Clone for Scaled {
    fn clone(&self) -> Self {
        Self { inner: self.inner.box_clone(), factors: Arc::clone(&self.factors) }
    }
}

impl Query for Scaled {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let factors = self.factors.iter().map(|factor| Ok((factor.query.weight(scoring)?, factor.weight)));
        Ok(Box::new(ScaledWeight {
            inner: self.inner.weight(scoring)?,
            factors: factors.collect::<tantivy::Result<_>>()?,
            scored: scoring.is_scoring_enabled(),
        }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.inner.query_terms(visitor);
    }
}

struct ScaledWeight {
    inner: Box<dyn Weight>,
    factors: Vec<(Box<dyn Weight>, f32)>,
    scored: bool,
}

impl Weight for ScaledWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let inner = self.inner.scorer(reader, boost)?;
        if !self.scored {
            return Ok(inner);
        }
        let factors = self.factors.iter().map(|(weight, factor)| Ok((weight.scorer(reader, 1.0)?, *factor)));
        Ok(Box::new(ScaledScorer { inner, factors: factors.collect::<tantivy::Result<_>>()? }))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument("the document does not match".to_owned()));
        }
        Ok(Explanation::new("scaled", scorer.score()))
    }
}

struct ScaledScorer {
    inner: Box<dyn Scorer>,
    factors: Vec<(Box<dyn Scorer>, f32)>,
}

impl DocSet for ScaledScorer {
    fn advance(&mut self) -> DocId {
        self.inner.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.inner.seek(target)
    }

    fn doc(&self) -> DocId {
        self.inner.doc()
    }

    fn size_hint(&self) -> u32 {
        self.inner.size_hint()
    }
}

impl Scorer for ScaledScorer {
    fn score(&mut self) -> Score {
        let doc = self.inner.doc();
        let mut score = self.inner.score();
        for (members, factor) in &mut self.factors {
            if members.doc() < doc && members.doc() != TERMINATED {
                members.seek(doc);
            }
            if members.doc() == doc {
                score *= *factor;
            }
        }
        score
    }
}
