//! Counting the values of a column over documents. The engine's own aggregations are run through JSON, and run the query
//! and open each column anew for each question: for the few hundred documents of a usual search that took longer than
//! the search.

use super::Matched;
use crate::{
    IndexError, analyzer::folded, columns::OpenedColumn, plan::filter::whole, query::FacetValue, reader::Snapshot,
};
use serde_json::Value;
use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
};
use tantivy::{
    DocId,
    columnar::{Cardinality, Column, DynamicColumn, StrColumn},
};

/// Most texts of one segment that are looked up, the most frequent ones: of rarer ones only the total is known.
const LOOKED_UP: usize = 10_000;
/// Up to so many texts, or four for each document, each has its place in an array; beyond, those that occur are kept.
const ARRAY: usize = 4_096;

/// A column, in each segment by the types that its values have there.
pub(super) struct Columns(Vec<Arc<[OpenedColumn]>>);

impl Columns {
    /// Opens a column by its name, or by the path of what is in an object.
    pub fn open(snapshot: &Snapshot, name: &str) -> Result<Self, IndexError> {
        let segments = snapshot.segments.searcher.segment_readers();
        Ok(Self(
            segments.iter().map(|segment| snapshot.segments.columns.opened(segment, name)).collect::<Result<_, _>>()?,
        ))
    }

    /// Whether some of the values are numbers with a fraction, as attributes have them.
    pub fn has_fractions(&self) -> bool {
        self.0.iter().flat_map(|columns| columns.iter()).any(|opened| opened.column.is_f64())
    }

    /// All numbers that documents have, each with the place of its document among those that match.
    pub fn numbers(&self, matched: &Matched) -> Vec<(usize, f64)> {
        let (mut all, mut first) = (Vec::new(), 0);
        for (columns, documents) in self.0.iter().zip(matched.by_segment()) {
            for opened in columns.iter() {
                for (place, document) in
                    documents.iter().enumerate().map(|(place, document)| (first + place, *document))
                {
                    match &opened.column {
                        DynamicColumn::F64(column) => {
                            all.extend(column.values_for_doc(document).map(|value| (place, value)));
                        }
                        #[expect(clippy::cast_precision_loss, reason = "amounts of money, far below 2^53")]
                        DynamicColumn::I64(column) => {
                            all.extend(column.values_for_doc(document).map(|value| (place, value as f64)));
                        }
                        _ => {}
                    }
                }
            }
            first += documents.len();
        }
        all
    }

    /// How many documents have a value beside some; those have to be all that are shown.
    pub fn beyond(&self, matched: &Matched, shown: &HashSet<String>) -> io::Result<u64> {
        let mut beyond = 0;
        for (columns, documents) in self.0.iter().zip(matched.by_segment()) {
            let others: Vec<Others<'_>> =
                columns.iter().map(|opened| Others::of(&opened.column, shown)).collect::<io::Result<_>>()?;
            let has = |document: &&DocId| others.iter().any(|others| others.has(**document));
            beyond += documents.iter().filter(has).count() as u64;
        }
        Ok(beyond)
    }

    /// Whether a document may have several values.
    pub fn is_multiple(&self) -> bool {
        let several = |opened: &OpenedColumn| match &opened.column {
            DynamicColumn::Str(column) => column.ords().get_cardinality() == Cardinality::Multivalued,
            DynamicColumn::Bool(column) => column.get_cardinality() == Cardinality::Multivalued,
            DynamicColumn::F64(column) => column.get_cardinality() == Cardinality::Multivalued,
            _ => false,
        };
        self.0.iter().any(|columns| columns.len() > 1 || columns.iter().any(several))
    }

    /// The values that documents have, the most frequent first and at most `most`, and how often all others occur. Where
    /// values with a text in them are looked for ([`folded`]), or more than the most frequent, all are looked at.
    pub fn count(
        &self,
        matched: &Matched,
        most: usize,
        wanted: Option<&str>,
    ) -> Result<(Vec<FacetValue>, u64), IndexError> {
        let all = wanted.is_some() || most > LOOKED_UP;
        let mut tally = Tally { all, wanted: wanted.map(str::to_owned), ..Tally::default() };
        for (columns, documents) in self.0.iter().zip(matched.by_segment()) {
            for opened in columns.iter().filter(|_| !documents.is_empty()) {
                tally.add(opened, documents)?;
            }
        }
        Ok(tally.most_frequent(most))
    }
}

fn values<T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static>(
    column: &Column<T>,
    documents: &[DocId],
) -> impl Iterator<Item = T> {
    documents.iter().flat_map(|document| column.values_for_doc(*document))
}

/// The values of a column beside those that are shown.
enum Others<'a> {
    Texts(&'a Column<u64>, HashSet<u64>),
    Numbers(&'a Column<f64>, &'a HashSet<String>),
    Booleans(&'a Column<bool>, &'a HashSet<String>),
    None,
}

impl<'a> Others<'a> {
    fn of(column: &'a DynamicColumn, shown: &'a HashSet<String>) -> io::Result<Self> {
        Ok(match column {
            DynamicColumn::Str(column) => {
                let places =
                    shown.iter().map(|text| column.dictionary().term_ord(text)).collect::<io::Result<Vec<_>>>()?;
                Self::Texts(column.ords(), places.into_iter().flatten().collect())
            }
            DynamicColumn::F64(column) => Self::Numbers(column, shown),
            DynamicColumn::Bool(column) => Self::Booleans(column, shown),
            _ => Self::None,
        })
    }

    fn has(&self, document: DocId) -> bool {
        match self {
            Self::Texts(column, shown) => column.values_for_doc(document).any(|place| !shown.contains(&place)),
            Self::Numbers(column, shown) => {
                column.values_for_doc(document).any(|value| !shown.contains(&text(&number(value))))
            }
            Self::Booleans(column, shown) => {
                column.values_for_doc(document).any(|value| !shown.contains(&value.to_string()))
            }
            Self::None => false,
        }
    }
}

/// How often each value occurs; one document may have several.
#[derive(Default)]
struct Tally {
    /// Whether all texts are looked up.
    all: bool,
    /// What has to be in a value.
    wanted: Option<String>,
    texts: HashMap<String, u64>,
    /// By their bits.
    numbers: HashMap<u64, u64>,
    /// Of false, and of true.
    booleans: [u64; 2],
    /// Of texts that were not looked up.
    others: u64,
}

impl Tally {
    fn add(&mut self, opened: &OpenedColumn, documents: &[DocId]) -> io::Result<()> {
        match &opened.column {
            DynamicColumn::Str(column) => self.add_texts(opened, column, documents)?,
            DynamicColumn::Bool(column) => {
                values(column, documents).for_each(|value| self.booleans[usize::from(value)] += 1);
            }
            DynamicColumn::F64(column) => {
                values(column, documents).for_each(|value| *self.numbers.entry(value.to_bits()).or_default() += 1);
            }
            // Nothing else is indexed for facets.
            _ => {}
        }
        Ok(())
    }

    fn add_texts(&mut self, opened: &OpenedColumn, column: &StrColumn, documents: &[DocId]) -> io::Result<()> {
        let mut counted = by_place(column, documents);
        if let Some(texts) = opened.texts() {
            for (place, count) in counted {
                if let Some(text) = usize::try_from(place).ok().and_then(|place| texts.get(place)) {
                    self.add_text(text, count);
                }
            }
            return Ok(());
        }
        if counted.len() > LOOKED_UP && !self.all {
            counted.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(*count));
            self.others += counted.drain(LOOKED_UP..).map(|(_, count)| count).sum::<u64>();
            counted.sort_unstable();
        }
        let (places, counts): (Vec<u64>, Vec<u64>) = counted.into_iter().unzip();
        let mut counts = counts.into_iter();
        column.dictionary().sorted_ords_to_term_cb(&places, |term| {
            self.add_text(&String::from_utf8_lossy(term), counts.next().unwrap_or_default());
        })?;
        Ok(())
    }

    fn add_text(&mut self, text: &str, count: u64) {
        match self.texts.get_mut(text) {
            Some(known) => *known += count,
            None => drop(self.texts.insert(text.to_owned(), count)),
        }
    }

    fn most_frequent(self, most: usize) -> (Vec<FacetValue>, u64) {
        let wanted = self.wanted;
        let is_wanted =
            |(value, _): &(Value, u64)| wanted.as_ref().is_none_or(|wanted| folded(&text(value)).contains(wanted));
        let texts = self.texts.into_iter().map(|(text, count)| (Value::String(text), count));
        let numbers = self.numbers.into_iter().map(|(bits, count)| (number(f64::from_bits(bits)), count));
        let booleans = [false, true].into_iter().map(Value::Bool).zip(self.booleans);
        let mut all: Vec<(Value, u64)> =
            texts.chain(numbers).chain(booleans.filter(|(_, count)| *count > 0)).filter(is_wanted).collect();
        all.sort_unstable_by(|(a, many), (b, more)| more.cmp(many).then_with(|| compare(a, b)));
        let others = all.iter().skip(most).map(|(_, count)| count).sum::<u64>();
        all.truncate(most);
        let value = |(value, count)| FacetValue {
            value,
            count,
            selected: false,
            total_if_toggled: count,
            children: Vec::new(),
        };
        (all.into_iter().map(value).collect(), self.others + others)
    }
}

/// A number as people write it: a whole one without a fraction.
fn number(number: f64) -> Value {
    whole(number).map_or_else(|| Value::from(number), Value::from)
}

/// The places of texts in the dictionary, ascending, and how often each occurs.
fn by_place(column: &StrColumn, documents: &[DocId]) -> Vec<(u64, u64)> {
    let places = values(column.ords(), documents);
    if column.num_terms() > ARRAY.max(documents.len().saturating_mul(4)) {
        let mut counts = HashMap::<u64, u64>::new();
        places.for_each(|place| *counts.entry(place).or_default() += 1);
        let mut counted: Vec<_> = counts.into_iter().collect();
        counted.sort_unstable();
        return counted;
    }
    let mut counts = vec![0_u64; column.num_terms()];
    for place in places {
        if let Some(count) = usize::try_from(place).ok().and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    (0_u64..).zip(counts).filter(|(_, count)| *count > 0).collect()
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.cmp(b),
        _ => text(a).cmp(&text(b)),
    }
}

/// A value as a filter names it.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
