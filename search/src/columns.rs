//! Columns of the index: read whole, or kept open.

use crate::IndexError;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tantivy::{
    SegmentReader,
    columnar::{Dictionary, DynamicColumn, DynamicColumnHandle, StrColumn},
    index::SegmentId,
};

/// What is made of each term of a dictionary, in its order: to look each up would decode a block for each.
///
/// # Errors
/// The engine's.
pub fn each_term<T>(dictionary: &Dictionary, mut make: impl FnMut(&[u8]) -> T) -> Result<Vec<T>, IndexError> {
    let mut made = Vec::with_capacity(dictionary.num_terms());
    let mut terms = dictionary.stream()?;
    while terms.advance() {
        made.push(make(terms.key()));
    }
    Ok(made)
}

/// The terms of a dictionary as texts, in its order.
///
/// # Errors
/// The engine's.
pub fn texts(dictionary: &Dictionary) -> Result<Vec<String>, IndexError> {
    each_term(dictionary, |term| String::from_utf8_lossy(term).into_owned())
}

/// Columns that have been opened, by segment and name. To find a column by its name, or a text by its place, decodes a
/// block of a dictionary: for what each search needs that takes longer than the search.
#[derive(Default)]
pub struct OpenedColumns(Mutex<HashMap<SegmentId, ByName>>);

type ByName = HashMap<String, Arc<[OpenedColumn]>>;

/// A column of one segment, of one of the types that its values have there.
pub struct OpenedColumn {
    /// The values.
    pub column: DynamicColumn,
    texts: OnceLock<Option<Vec<String>>>,
}

/// Columns of one segment that are remembered.
const NAMES: usize = 200;
/// Most texts of one column that are remembered.
const TEXTS: usize = 5_000;

impl OpenedColumns {
    /// A segment's column by its name, or by the path of what is in an object; nothing if no document has any.
    ///
    /// # Errors
    /// The engine's.
    pub fn opened(&self, segment: &SegmentReader, name: &str) -> Result<Arc<[OpenedColumn]>, IndexError> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&segment.segment_id()).and_then(|columns| columns.get(name)) {
            return Ok(Arc::clone(known));
        }
        let handles = segment.fast_fields().dynamic_column_handles(name)?;
        let open = |handle: &DynamicColumnHandle| Ok(OpenedColumn { column: handle.open()?, texts: OnceLock::new() });
        let opened: Arc<[OpenedColumn]> = handles.iter().map(open).collect::<std::io::Result<_>>()?;
        let mut segments = lock();
        let columns = segments.entry(segment.segment_id()).or_default();
        if columns.len() >= NAMES {
            columns.clear();
        }
        columns.insert(name.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }

    /// Forgets the columns of all other segments, whose files may be gone.
    pub fn keep(&self, segments: &[SegmentReader]) {
        let kept: HashSet<SegmentId> = segments.iter().map(SegmentReader::segment_id).collect();
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<SegmentId> = opened.keys().filter(|segment| !kept.contains(*segment)).copied().collect();
        let gone: Vec<ByName> = gone.iter().filter_map(|segment| opened.remove(segment)).collect();
        drop(opened);
        // Files that are let go of take their time; no search waits for that.
        drop(gone);
    }
}

impl OpenedColumn {
    /// The column, if its values are texts.
    #[must_use]
    pub const fn str(&self) -> Option<&StrColumn> {
        match &self.column {
            DynamicColumn::Str(column) => Some(column),
            _ => None,
        }
    }

    /// Its texts in the order of their places, if there are not too many; read once.
    pub fn texts(&self) -> Option<&[String]> {
        let read = || {
            let column = self.str().filter(|column| column.num_terms() <= TEXTS)?;
            // What can't be read is told where the texts are looked up one by one.
            texts(column.dictionary()).ok()
        };
        self.texts.get_or_init(read).as_deref()
    }
}
