//! Where a hit's score comes from, and why a product is not among the hits.

use super::Searched;
use crate::{
    IndexError,
    plan::{Plan, scaled::Novelty, scope},
    query::{ScorePart, SearchRequest},
    reader::Snapshot,
};
use schemas::{filter::Filter, ids::ProductId};
use serde::Serialize;
use tantivy::{
    DocAddress, DocSet, Score,
    collector::Count,
    query::{BooleanQuery, EnableScoring, Occur, Query, QueryClone},
};

/// The parts of a hit's score: of each word the best it was found as, then what adds, then what multiplies.
pub(super) fn parts(snapshot: &Snapshot, plan: &Plan, at: DocAddress) -> Result<Vec<ScorePart>, IndexError> {
    let mut parts = Vec::new();
    for group in &plan.groups {
        let mut best: Option<ScorePart> = None;
        for clause in group {
            if let Some(score) = score(snapshot, clause.query.as_ref(), at)?
                && best.as_ref().is_none_or(|best| score > best.score)
            {
                best = Some(ScorePart { part: clause.part.clone(), score });
            }
        }
        parts.extend(best);
    }
    for clause in plan.phrases.iter().chain(&plan.extras) {
        if let Some(score) = score(snapshot, clause.query.as_ref(), at)? {
            parts.push(ScorePart { part: clause.part.clone(), score });
        }
    }
    for factor in &plan.signals.factors {
        if score(snapshot, factor.query.as_ref(), at)?.is_some() {
            parts.push(ScorePart { part: format!("times {} for {}", factor.weight, factor.part), score: 0.0 });
        }
    }
    let segment = snapshot.segments.searcher.segment_reader(at.segment_ord);
    if let Some(novelty) = plan.signals.novelty
        && let Some(released) = Novelty::column(segment).and_then(|column| column.first(at.doc_id))
    {
        let (days, factor) = novelty.factor(released);
        parts.push(ScorePart { part: format!("times {factor:.3} for novelty, released {days} days ago"), score: 0.0 });
    }
    Ok(parts)
}

fn score(snapshot: &Snapshot, query: &dyn Query, at: DocAddress) -> Result<Option<Score>, IndexError> {
    let weight = query.weight(EnableScoring::enabled_from_searcher(&snapshot.segments.searcher))?;
    let mut scorer = weight.scorer(snapshot.segments.searcher.segment_reader(at.segment_ord), 1.0)?;
    if scorer.doc() < at.doc_id {
        scorer.seek(at.doc_id);
    }
    Ok((scorer.doc() == at.doc_id).then(|| scorer.score()))
}

/// Why a product is among the hits, or not.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Why::example())))]
pub struct Why {
    /// Whether it is among them.
    pub found: bool,
    /// A sentence for people.
    pub reason: String,
    /// What was looked at, in order, and whether the product passes.
    pub checks: Vec<Check>,
    /// Its place among the hits, counted from 1, if it is within the first two thousand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<usize>,
}

impl Why {
    /// As the OpenAPI document shows it.
    #[must_use]
    pub fn example() -> Self {
        let check = |what: &str, passes| Check::new(what.to_owned(), passes, String::new());
        Self {
            found: false,
            reason: "it is not found, since the filter brand:Lumen leaves it out".to_owned(),
            checks: vec![check("it is in the index", true), check("filter brand:Lumen", false)],
            place: None,
        }
    }
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = WhyCheck)]
pub struct Check {
    /// What: the index, a filter, a word.
    pub what: String,
    /// Whether the product passes.
    pub passes: bool,
    /// What is so if it does not, as the end of "it is not found, since".
    #[serde(skip)]
    otherwise: String,
}

impl Check {
    fn new(what: String, passes: bool, otherwise: String) -> Self {
        Self { what, passes, otherwise }
    }
}

/// Why is my product not here? Looks at everything a hit has to pass, one by one.
///
/// # Errors
/// The engine's.
pub fn why(snapshot: &Snapshot, request: &SearchRequest, product: ProductId) -> Result<Why, IndexError> {
    let Some(_) = snapshot.version_of(request.tenant, product)? else {
        let reason = "the index has no such product: it was never published, or its document is still on the way";
        return Ok(Why { found: false, reason: reason.to_owned(), checks: Vec::new(), place: None });
    };
    let scope = scope(snapshot, request);
    let has = |query: Box<dyn Query>| -> Result<bool, IndexError> {
        let both = BooleanQuery::new(vec![(Occur::Must, scope.ids(&[product])), (Occur::Must, query)]);
        Ok(snapshot.segments.searcher.search(&both, &Count)? > 0)
    };
    let mut checks = Vec::new();
    let unfiltered = SearchRequest { filter: None, text: String::new(), ids: None, ..request.clone() };
    let unsteered = SearchRequest { steering: std::sync::Arc::default(), ..unfiltered.clone() };
    let published = Searched::new(snapshot, &unsteered)?;
    checks.push(Check::new(
        "it is published".to_owned(),
        has(published.plan.query(0))?,
        "it is not published".to_owned(),
    ));
    if !request.steering.hidden.is_empty() {
        let passes = !request.steering.hidden.contains(&product);
        checks.push(Check::new("no rule hides it".to_owned(), passes, "a rule hides it".to_owned()));
    }
    let conditions = match &request.filter {
        Some(Filter::All(parts)) => parts.clone(),
        Some(filter) => vec![filter.clone()],
        None => Vec::new(),
    };
    for condition in conditions {
        let otherwise = format!("the filter {condition} leaves it out");
        checks.push(Check::new(format!("filter {condition}"), has(scope.compile(&condition))?, otherwise));
    }
    let searched = Searched::new(snapshot, request)?;
    for understood in searched.plan.understood.iter().filter(|read| read.effect == crate::understand::Effect::Filter) {
        let alone = SearchRequest { text: understood.text.clone(), ..unfiltered.clone() };
        let alone = match understood.kind.as_str() {
            "without" => SearchRequest { text: format!("-\"{}\"", understood.text), ..alone },
            "phrase" => SearchRequest { text: format!("\"{}\"", understood.text), ..alone },
            _ => alone,
        };
        let alone = Searched::new(snapshot, &alone)?;
        let otherwise = format!("`{}` in the query is read as {} and leaves it out", understood.text, understood.kind);
        let what = format!("{}: {}", understood.kind, understood.text);
        checks.push(Check::new(what, has(alone.plan.query(0))?, otherwise));
    }
    let (query, matching, _) = searched.relaxing()?;
    let mut words = Vec::new();
    for group in &searched.plan.groups {
        let any = group.iter().map(|clause| (Occur::Should, clause.query.box_clone())).collect();
        let what = group.first().map(|clause| clause.part.clone()).unwrap_or_default();
        let passes = has(Box::new(BooleanQuery::new(any)))?;
        let otherwise = format!("it does not have the word {what} ({matching} words have to match)");
        words.push(Check::new(format!("word, {what}"), passes, otherwise));
    }
    checks.append(&mut words);
    let found = has(query)?;
    let place = if found { place(snapshot, request, product)? } else { None };
    let missed: Vec<&str> = checks.iter().filter(|check| !check.passes).map(|check| check.otherwise.as_str()).collect();
    let reason = match (found, place) {
        (true, Some(place)) => format!("it is hit number {place}"),
        (true, None) => "it matches, but others match better".to_owned(),
        (false, _) if missed.is_empty() => "the shop has none of the words".to_owned(),
        (false, _) => format!("it is not found, since {}", missed.join(", and ")),
    };
    Ok(Why { found, reason, checks, place })
}

fn place(snapshot: &Snapshot, request: &SearchRequest, product: ProductId) -> Result<Option<usize>, IndexError> {
    const STEP: usize = 200;
    for offset in (0..2_000).step_by(STEP) {
        let page = SearchRequest {
            offset,
            limit: STEP,
            facets: Vec::new(),
            highlight: false,
            explain: false,
            ..request.clone()
        };
        let hits = super::search(snapshot, &page)?.hits;
        if let Some(index) = hits.iter().position(|hit| hit.card.id == product) {
            return Ok(Some(offset + index + 1));
        }
        if hits.len() < STEP {
            break;
        }
    }
    Ok(None)
}
