//! Reads human judgments: `query,product_id,rating`.

use super::EvalError;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// A query and what people said of products.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) query: String,
    /// Product id to rating, 0 irrelevant to 3 exact.
    pub(super) ratings: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct Row {
    query: String,
    product_id: String,
    rating: u32,
}

/// The queries that have at least one relevant product, in alphabetical order.
pub(super) fn read(path: &Path) -> Result<Vec<Judged>, EvalError> {
    let failed = |reason: String| EvalError::Judgments { path: path.to_owned(), reason };
    let mut reader = csv::Reader::from_path(path).map_err(|error| failed(error.to_string()))?;
    let mut queries: BTreeMap<String, HashMap<String, u32>> = BTreeMap::new();
    for row in reader.deserialize() {
        let Row { query, product_id, rating } = row.map_err(|error: csv::Error| failed(error.to_string()))?;
        queries.entry(query).or_default().insert(product_id, rating);
    }
    queries.retain(|_, ratings| ratings.values().any(|rating| *rating > 0));
    if queries.is_empty() {
        return Err(failed("no query in it has a relevant product".to_owned()));
    }
    Ok(queries.into_iter().map(|(query, ratings)| Judged { query, ratings }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        file
    }

    #[test]
    fn queries_without_a_relevant_product_are_left_out() {
        let file = file("query,product_id,rating\nb,1,3\nb,2,0\na,1,0\n\"c, d\",7,1\n");
        let queries = read(file.path()).expect("read");
        assert_eq!(queries.iter().map(|judged| judged.query.as_str()).collect::<Vec<_>>(), ["b", "c, d"]);
        assert_eq!(queries[0].ratings["2"], 0);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for text in
            ["query,product_id,rating\na,1,much\n", "query,product_id\na,1\n", "query,product_id,rating\na,1,0\n"]
        {
            read(file(text).path()).expect_err(text);
        }
    }
}
