//! Which documents match, segment by segment: whatever is counted of them is counted from here, so that a query is
//! run once for all of it.

use crate::{IndexError, reader::Snapshot};
use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    query::Query,
};

/// The documents that match, ascending, of each segment.
#[derive(Debug, Clone)]
pub(super) struct Matched(Vec<Vec<DocId>>);

impl Matched {
    /// Runs a query, without scores.
    pub fn collect(snapshot: &Snapshot, query: &dyn Query) -> Result<Self, IndexError> {
        Ok(Self(snapshot.segments.searcher.search(query, &All)?))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|documents| documents.len() as u64).sum()
    }

    /// Those of each segment, in the order of the segments.
    pub fn by_segment(&self) -> impl Iterator<Item = &[DocId]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// These without others, all of which are among them.
    pub fn without(&self, others: &Self) -> Self {
        let rest = |(these, others): (&Vec<DocId>, &Vec<DocId>)| {
            let mut others = others.iter().peekable();
            these.iter().copied().filter(|document| others.next_if_eq(&document).is_none()).collect()
        };
        Self(self.0.iter().zip(&others.0).map(rest).collect())
    }
}

struct All;

struct OfSegment(SegmentOrdinal, Vec<DocId>);

impl Collector for All {
    type Fruit = Vec<Vec<DocId>>;
    type Child = OfSegment;

    fn for_segment(&self, segment: SegmentOrdinal, _: &SegmentReader) -> tantivy::Result<OfSegment> {
        Ok(OfSegment(segment, Vec::new()))
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, mut segments: Vec<(SegmentOrdinal, Vec<DocId>)>) -> tantivy::Result<Vec<Vec<DocId>>> {
        segments.sort_unstable_by_key(|(segment, _)| *segment);
        Ok(segments.into_iter().map(|(_, documents)| documents).collect())
    }
}

impl SegmentCollector for OfSegment {
    type Fruit = (SegmentOrdinal, Vec<DocId>);

    fn collect(&mut self, document: DocId, _: Score) {
        self.1.push(document);
    }

    fn collect_block(&mut self, documents: &[DocId]) {
        self.1.extend_from_slice(documents);
    }

    fn harvest(self) -> Self::Fruit {
        (self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_is_taken_out() {
        let all = Matched(vec![vec![1, 4, 5, 9], vec![], vec![0, 2]]);
        let some = Matched(vec![vec![1, 9], vec![], vec![2]]);
        assert_eq!(all.without(&some).0, [vec![4, 5], vec![], vec![0]]);
        assert_eq!((all.count(), all.without(&all).count()), (6, 0));
    }
}
