//! The answers of searches, with how they came about.

use super::page::SearchPage;
use crate::{
    freshness::{Served, Verdict},
    request::{mark, took_ms},
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::time::Instant;

/// How long an answer took, and whether it is older than what the client has written.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Circumstances {
    /// Milliseconds from the request to the answer.
    took_ms: f64,
    /// What the answer has not seen of the client's token; left out if it has seen all.
    #[serde(skip_serializing_if = "Option::is_none")]
    consistency: Option<Behind>,
}

impl Circumstances {
    /// Of an answer that is sent now.
    pub fn new(verdict: &Verdict, began: Instant) -> Self {
        let consistency = match verdict {
            Verdict::Fresh => None,
            Verdict::Stale(served) => Some(Behind { state: State::Stale, behind: served.clone() }),
        };
        Self { took_ms: took_ms(began), consistency }
    }

    /// As the examples show them.
    pub const fn example() -> Self {
        Self { took_ms: 1.25, consistency: None }
    }
}

/// What an answer has not seen of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Behind {
    state: State,
    /// The aggregates whose versions it has not seen.
    behind: Vec<Served>,
}

/// How an answer stands to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ConsistencyState)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has not seen all that the token names.
    Stale,
}

/// An answer of a search, and its circumstances.
#[derive(Debug, Serialize)]
pub struct Answered<T> {
    #[serde(flatten)]
    answer: T,
    #[serde(flatten)]
    circumstances: Circumstances,
}

/// An answer with how long it took and how fresh it is.
pub fn answered(answer: impl Serialize, verdict: &Verdict, began: Instant) -> Response {
    let circumstances = Circumstances::new(verdict, began);
    mark(Json(Answered { answer, circumstances }).into_response(), verdict)
}

/// The answer of a search.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(SearchResult::example())))]
pub struct SearchResult {
    #[serde(flatten)]
    page: SearchPage,
    #[serde(flatten)]
    circumstances: Circumstances,
}

impl SearchResult {
    fn example() -> Self {
        Self { page: SearchPage::example(), circumstances: Circumstances::example() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{example, reads::search::page::Shared, steering::Shown};
    use ::search::{
        query::{Hit, Relaxed},
        searcher::{Mode, SearchAnswer},
    };
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn sent(page: SearchPage, circumstances: Circumstances) -> Value {
        serde_json::to_value(Answered { answer: Shared(Arc::new(page)), circumstances }).expect("JSON")
    }

    #[test]
    fn what_does_not_apply_is_left_out() {
        let page = SearchPage::new(SearchAnswer::default(), Mode::Hybrid, "g1".to_owned(), 7, Shown::default());
        let expected = json!({"total": 0, "hits": [], "facets": [], "mode": "hybrid", "generation": "g1",
            "data_version": 7, "took_ms": 1.25});
        assert_eq!(sent(page, Circumstances::example()), expected);
    }

    #[test]
    fn a_score_is_sent_as_short_as_it_can_be_read_back() {
        let page = SearchPage { hits: vec![Hit::new(0.9, example::card())], ..SearchPage::example() };
        let answer = Answered { answer: Shared(Arc::new(page)), circumstances: Circumstances::example() };
        let text = serde_json::to_string(&answer).expect("JSON");
        assert!(text.contains(r#""hits":[{"score":0.9,"#), "{text}");
    }

    #[test]
    fn what_applies_stands_beside_the_hits() {
        let shown = Shown { rules: vec!["sofas".to_owned()], rewritten: Some("sofa".to_owned()), ..Shown::default() };
        let page = SearchPage {
            partial: true,
            relaxed: Some(Relaxed { matched: 1, of: 2 }),
            next: Some("c".to_owned()),
            index_offsets: Some(vec![("documents".to_owned(), 0, 9)]),
            degraded: Some("by words alone".to_owned()),
            shown,
            ..SearchPage::example()
        };
        let verdict = Verdict::Stale(Vec::new());
        let sent = sent(page, Circumstances::new(&verdict, Instant::now()));
        assert_eq!(sent["rules"], json!(["sofas"]));
        assert_eq!((&sent["rewritten"], &sent["partial"]), (&json!("sofa"), &json!(true)));
        assert_eq!(sent["relaxed"], json!({"matched": 1, "of": 2}));
        assert_eq!(sent["index_offsets"], json!([["documents", 0, 9]]));
        assert_eq!(sent["consistency"], json!({"state": "stale", "behind": []}));
        assert_eq!(sent["hits"][0]["title"], "Gooseneck kettle");
    }
}
