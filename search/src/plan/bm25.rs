//! BM25 with settings of its own: tantivy's are fixed. Also the clauses that match without a score of words.

use crate::statistics::CatalogStatistics;
use std::sync::Arc;
use tantivy::{
    DocId, DocSet, Score, SegmentReader, TantivyError, Term,
    fieldnorm::FieldNormReader,
    postings::{Postings, SegmentPostings},
    query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight},
    schema::IndexRecordOption,
};

/// A word in a field, scored by BM25 (Robertson and Zaragoza, 2009) times a weight.
#[derive(Debug, Clone)]
pub struct Bm25Query {
    /// The word.
    pub term: Term,
    /// Saturation.
    pub k1: f32,
    /// Length normalisation.
    pub b: f32,
    /// Factor of the score.
    pub weight: f32,
    /// Whose statistics count.
    pub catalog: Arc<CatalogStatistics>,
}

/// How rare a term is: Lucene's inverse document frequency.
#[expect(clippy::cast_precision_loss, reason = "counts of documents")]
pub fn idf(documents: u64, holding: u64) -> f32 {
    let (all, with) = (documents as f32, holding.min(documents) as f32);
    (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
}

impl Query for Bm25Query {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let EnableScoring::Enabled { searcher, .. } = scoring else {
            return Ok(Box::new(Bm25Weight { query: self.clone(), factor: 0.0, norms: Arc::new([1.0; 256]) }));
        };
        let statistics = &self.catalog.texts;
        let average = statistics.average(self.term.field());
        let rarity = idf(statistics.documents(), statistics.holding(searcher, &self.term)?);
        let factor = self.weight * rarity * (self.k1 + 1.0);
        let mut norms = [0.0; 256];
        for (id, norm) in (0_u8..=255).zip(norms.iter_mut()) {
            #[expect(clippy::cast_precision_loss, reason = "a length")]
            let length = FieldNormReader::id_to_fieldnorm(id) as f32;
            *norm = self.k1 * (1.0 - self.b + self.b * length / average);
        }
        Ok(Box::new(Bm25Weight { query: self.clone(), factor, norms: Arc::new(norms) }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        visitor(&self.term, false);
    }
}

struct Bm25Weight {
    query: Bm25Query,
    factor: f32,
    norms: Arc<[f32; 256]>,
}

impl Weight for Bm25Weight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let inverted = reader.inverted_index(self.query.term.field())?;
        let Some(postings) = inverted.read_postings(&self.query.term, IndexRecordOption::WithFreqs)? else {
            return Ok(Box::new(EmptyScorer));
        };
        let lengths = reader.get_fieldnorms_reader(self.query.term.field())?;
        Ok(Box::new(Bm25Scorer { postings, lengths, factor: self.factor * boost, norms: Arc::clone(&self.norms) }))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument("the document does not match".to_owned()));
        }
        Ok(Explanation::new("BM25", scorer.score()))
    }
}

struct Bm25Scorer {
    postings: SegmentPostings,
    lengths: FieldNormReader,
    factor: f32,
    norms: Arc<[f32; 256]>,
}

impl DocSet for Bm25Scorer {
    fn advance(&mut self) -> DocId {
        self.postings.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.postings.seek(target)
    }

    fn doc(&self) -> DocId {
        self.postings.doc()
    }

    fn size_hint(&self) -> u32 {
        self.postings.size_hint()
    }
}

impl Scorer for Bm25Scorer {
    fn score(&mut self) -> Score {
        #[expect(clippy::cast_precision_loss, reason = "occurrences in a document")]
        let occurrences = self.postings.term_freq() as f32;
        let norm = self.norms[usize::from(self.lengths.fieldnorm_id(self.postings.doc()))];
        self.factor * occurrences / (occurrences + norm)
    }
}
