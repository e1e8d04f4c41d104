//! Scores times the weights of what a product is: staff's boosts, popularity, stock, novelty.

use schemas::Timestamp;
use std::sync::Arc;
use tantivy::{
    DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term,
    columnar::Column,
    query::{EnableScoring, Explanation, Query, QueryClone, Scorer, Weight},
};

const DAY_MICROS: i64 = 86_400_000_000;

/// What multiplies scores.
#[derive(Debug, Default)]
pub struct Signals {
    /// All that apply to a document do.
    pub factors: Vec<Factor>,
    /// What being new is worth, if anything.
    pub novelty: Option<Novelty>,
}

impl Signals {
    /// Whether every score stays as it is.
    pub fn is_empty(&self) -> bool {
        self.factors.is_empty() && self.novelty.is_none()
    }
}

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

/// A factor that decays with a product's age. What has no date has none, and what comes to market later is as
/// new as can be.
#[derive(Debug, Clone, Copy)]
pub struct Novelty {
    boost: f32,
    half_life_days: f32,
    /// Start of the day, in microseconds: all pages of one day are in the same order.
    today: i64,
}

impl Novelty {
    /// Adds `boost` times the score on the day of release, and half as much for every `half_life_days` since.
    pub fn new(boost: f32, half_life_days: f32, now: Timestamp) -> Self {
        Self { boost, half_life_days, today: now.timestamp_micros().div_euclid(DAY_MICROS) * DAY_MICROS }
    }

    /// Days since a release, which is in microseconds of Unix time, and the factor.
    pub fn factor(&self, released: i64) -> (i64, f32) {
        let days = self.today.saturating_sub(released).max(0) / DAY_MICROS;
        #[expect(clippy::cast_precision_loss, reason = "days")]
        let halvings = if days == 0 { 0.0 } else { days as f32 / self.half_life_days };
        (days, 1.0 + self.boost * (-halvings).exp2())
    }

    /// The dates of a segment.
    pub fn column(segment: &SegmentReader) -> Option<Column<i64>> {
        segment.fast_fields().i64("released").ok()
    }
}

/// A query whose scores are multiplied.
#[derive(Debug)]
pub struct Scaled {
    /// What matches.
    pub inner: Box<dyn Query>,
    /// With what.
    pub signals: Arc<Signals>,
}

impl Clone for Scaled {
    fn clone(&self) -> Self {
        Self { inner: self.inner.box_clone(), signals: Arc::clone(&self.signals) }
    }
}

impl Query for Scaled {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let factors = self.signals.factors.iter().map(|factor| Ok((factor.query.weight(scoring)?, factor.weight)));
        Ok(Box::new(ScaledWeight {
            inner: self.inner.weight(scoring)?,
            factors: factors.collect::<tantivy::Result<_>>()?,
            novelty: self.signals.novelty,
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
    novelty: Option<Novelty>,
    scored: bool,
}

impl Weight for ScaledWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let inner = self.inner.scorer(reader, boost)?;
        if !self.scored {
            return Ok(inner);
        }
        let factors = self.factors.iter().map(|(weight, factor)| Ok((weight.scorer(reader, 1.0)?, *factor)));
        let novelty = self.novelty.and_then(|novelty| Some((novelty, Novelty::column(reader)?)));
        Ok(Box::new(ScaledScorer { inner, factors: factors.collect::<tantivy::Result<_>>()?, novelty }))
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
    novelty: Option<(Novelty, Column<i64>)>,
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
        if let Some((novelty, released)) = &self.novelty
            && let Some(released) = released.first(doc)
        {
            score *= novelty.factor(released).1;
        }
        score
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn novelty_halves_with_age_and_never_takes_away() {
        let novelty = Novelty::new(0.4, 30.0, Timestamp::from_timestamp_nanos(100 * DAY_MICROS * 1_000 + 5_000));
        let of = |day: i64| novelty.factor(day * DAY_MICROS);
        for (released, factor) in [(100, 1.4), (170, 1.4), (70, 1.2), (40, 1.1), (10, 1.05), (-100_000, 1.0)] {
            assert!((of(released).1 - factor).abs() < 1e-6, "{released}: {:?}", of(released));
        }
        let at_once = Novelty::new(0.4, 0.0, Timestamp::UNIX_EPOCH);
        let found = [0, -1].map(|day| at_once.factor(day * DAY_MICROS).1);
        assert!((found[0] - 1.4).abs() < 1e-6 && (found[1] - 1.0).abs() < 1e-6, "{found:?}");
    }
}
