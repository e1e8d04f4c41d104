//! The door, with vectors in memory: what is found by words, by vectors and by both, and what happens without a model.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    events::catalog::AttributeValue,
    filter::Filter,
    ids::{CategoryId, ProductId, TenantId},
};
use search::{
    budget::Budget,
    bundle::Model,
    document::{DocumentCategory, SearchDocument, SearchProduct},
    generation::{self, Manifest},
    offsets::Offsets,
    query::{SearchRequest, Sort, Steering},
    reader::{IndexHandle, Snapshot},
    searcher::{By, Mode, Question, SearchAnswer, SearchError, SearchLimits, Searcher, VectorError, VectorSource},
    writer::IndexWriter,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const SHOP: TenantId = TenantId(Uuid::from_u128(1));
/// The only sofa by its words, one by its meaning alone, and what is neither.
const SOFA: ProductId = ProductId(Uuid::from_u128(11));
const COUCH: ProductId = ProductId(Uuid::from_u128(12));
const LAMP: ProductId = ProductId(Uuid::from_u128(13));

struct Memory {
    has_model: bool,
    is_busy: bool,
    products: BTreeMap<ProductId, Vec<f32>>,
}

impl Memory {
    fn new(has_model: bool) -> Self {
        let products = [(SOFA, vec![1.0, 0.0]), (COUCH, vec![0.9, 0.1]), (LAMP, vec![0.0, 1.0])];
        Self { has_model, is_busy: false, products: products.into() }
    }
}

impl VectorSource for Memory {
    async fn query_vector(&self, _: &Model, _: &str) -> Result<Option<Arc<Vec<f32>>>, VectorError> {
        if self.is_busy {
            return Err(VectorError::Busy);
        }
        Ok(self.has_model.then(|| Arc::new(vec![1.0, 0.0])))
    }

    async fn nearest(
        &self,
        _: TenantId,
        _: &Model,
        vector: &[f32],
        limit: usize,
        among: Option<&[ProductId]>,
    ) -> Result<Vec<(ProductId, f32)>, VectorError> {
        let near = |other: &[f32]| other.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
        let asked = self.products.iter().filter(|(id, _)| among.is_none_or(|among| among.contains(id)));
        let mut found: Vec<(ProductId, f32)> = asked.map(|(id, vector)| (*id, near(vector))).collect();
        found.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        found.truncate(limit);
        Ok(found)
    }

    async fn product_vector(&self, _: TenantId, _: &Model, id: ProductId) -> Result<Option<Vec<f32>>, VectorError> {
        Ok(self.products.get(&id).filter(|_| self.has_model).cloned())
    }

    async fn mean_vector(&self, _: TenantId, _: &Model, _: &[ProductId]) -> Result<Option<Vec<f32>>, VectorError> {
        Ok(None)
    }
}

fn shop(folder: &std::path::Path) -> Snapshot {
    generation::create(folder, &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let mut writer = IndexWriter::open(folder, "g1").expect("opened");
    for (product_id, title, brand) in [(SOFA, "Sofa", "Acme"), (COUCH, "Couch", "Divano"), (LAMP, "Lamp", "Lumen")] {
        let product = SearchProduct {
            title: title.to_owned(),
            brand: Some(brand.to_owned()),
            attributes: BTreeMap::from([("color".to_owned(), AttributeValue::Text("red".to_owned()))]),
            categories: vec![furniture()],
            ..SearchProduct::default()
        };
        let document = SearchDocument { tenant_id: SHOP, product_id, doc_version: 1, product: Some(product) };
        writer.upsert(&document).expect("written");
    }
    writer.commit(Offsets::new()).expect("committed");
    IndexHandle::open(folder, "g1").expect("opened").snapshot()
}

fn furniture() -> DocumentCategory {
    DocumentCategory {
        path_ids: vec![CategoryId(Uuid::from_u128(21))],
        path_slugs: vec!["furniture".to_owned()],
        path_names: vec!["Furniture".to_owned()],
    }
}

fn searcher() -> Searcher {
    Searcher::new(SearchLimits::of(1))
}

async fn ask(request: SearchRequest, mode: Mode, vectors: &Memory) -> Result<SearchAnswer, SearchError> {
    let folder = tempfile::tempdir().expect("a folder");
    searcher().search(&shop(folder.path()), Question { request, mode, suiting: None }, vectors).await
}

fn ids(answer: &SearchAnswer) -> Vec<ProductId> {
    answer.hits.iter().map(|hit| hit.card.id).collect()
}

fn sofa() -> SearchRequest {
    SearchRequest::text(SHOP, "sofa", 2)
}

#[tokio::test]
async fn each_mode_finds_by_its_own_means() {
    let vectors = Memory::new(true);
    let found = ask(sofa(), Mode::Lexical, &vectors).await.expect("an answer");
    assert_eq!((ids(&found), found.total), (vec![SOFA], 1));
    let found = ask(sofa(), Mode::Semantic, &vectors).await.expect("an answer");
    assert_eq!((ids(&found), found.total), (vec![SOFA, COUCH], 3));
    let scores: Vec<f32> = found.hits.iter().map(|hit| hit.score).collect();
    assert_eq!(scores, [1.0, 0.9], "nothing multiplies a similarity");
    let found = ask(SearchRequest { explain: true, ..sofa() }, Mode::Hybrid, &vectors).await.expect("an answer");
    assert_eq!(ids(&found), [SOFA, COUCH]);
    let parts: Vec<&str> = found.hits[1].explanation.iter().map(|part| part.part.as_str()).collect();
    assert!(parts.contains(&"fusion: share of the vectors"), "{parts:?}");
}

#[tokio::test]
async fn a_filter_that_names_what_the_shop_does_not_have_is_hinted_at() {
    let vectors = Memory::new(true);
    let filtered = |text: &str| SearchRequest { filter: schemas::filter::parse(text).ok(), ..sofa() };
    for mode in [Mode::Lexical, Mode::Hybrid] {
        let request = filtered("category:furniture,couchs AND NOT attr.colour:red AND attr.color:red AND brand:Nobody");
        let found = ask(request, mode, &vectors).await.expect("an answer");
        let named: Vec<_> = found.hints.iter().map(|hint| (hint.field.as_str(), hint.value.as_deref())).collect();
        assert_eq!(named, [("attr.colour", None), ("category", Some("couchs"))]);
        assert_eq!(found.hints[0].detail, "no product of this shop has the attribute `colour`");
    }
    assert_eq!(ask(filtered("category:furniture"), Mode::Lexical, &vectors).await.expect("an answer").hints, []);
}

#[tokio::test]
async fn what_vectors_find_has_to_pass_the_filters() {
    let filter = |text: &str| schemas::filter::parse(text).ok().map(|filter: Filter| filter);
    let request = SearchRequest { filter: filter("brand:Lumen"), ..sofa() };
    let found = ask(request, Mode::Semantic, &Memory::new(true)).await.expect("an answer");
    assert_eq!(ids(&found), [LAMP]);
    let request = SearchRequest { filter: filter("brand:Nobody"), ..sofa() };
    let found = ask(request, Mode::Hybrid, &Memory::new(true)).await.expect("an answer");
    assert_eq!((ids(&found), found.total), (vec![], 0));
}

#[tokio::test]
async fn boosts_count_for_what_is_found_by_meaning() {
    let boosted = |weight| {
        let brand = schemas::filter::parse("brand:Divano").expect("a filter");
        let steering = Steering { boosts: vec![(brand, weight)], ..Steering::default() };
        SearchRequest { steering: Arc::new(steering), ..sofa() }
    };
    for (weight, expected) in [(1.0, [SOFA, COUCH]), (3.0, [COUCH, SOFA])] {
        let found = ask(boosted(weight), Mode::Semantic, &Memory::new(true)).await.expect("an answer");
        assert_eq!(ids(&found), expected, "{weight}");
    }
    // Lamps have nothing to do with sofas, however much they are boosted.
    let lamps = schemas::filter::parse("brand:Lumen").expect("a filter");
    let steering = Steering { boosts: vec![(lamps, 100.0)], ..Steering::default() };
    let request = SearchRequest { steering: Arc::new(steering), ..sofa() };
    assert_eq!(ids(&ask(request, Mode::Semantic, &Memory::new(true)).await.expect("an answer")), [SOFA, COUCH]);
}

#[tokio::test]
async fn without_a_model_words_are_left_and_meaning_is_refused() {
    let vectors = Memory::new(false);
    let found = ask(sofa(), Mode::Hybrid, &vectors).await.expect("an answer");
    assert_eq!((ids(&found), found.degraded.is_some()), (vec![SOFA], true));
    assert!(matches!(ask(sofa(), Mode::Semantic, &vectors).await, Err(SearchError::NoModel)));
    // Nothing has to be embedded where there are no words, or where another order is asked for.
    let nothing = SearchRequest::text(SHOP, " ", 9);
    assert_eq!(ask(nothing, Mode::Semantic, &vectors).await.expect("an answer").total, 3);
    let by_title = SearchRequest { sort: Sort::Title, ..sofa() };
    assert_eq!(ask(by_title, Mode::Semantic, &vectors).await.expect("an answer").degraded, None);
}

#[tokio::test]
async fn where_queries_wait_too_long_for_their_vectors_words_have_to_do() {
    let busy = Memory { is_busy: true, ..Memory::new(true) };
    let found = ask(sofa(), Mode::Hybrid, &busy).await.expect("an answer");
    assert_eq!((ids(&found), found.degraded.is_some()), (vec![SOFA], true));
    assert!(matches!(ask(sofa(), Mode::Semantic, &busy).await, Err(SearchError::Vectors(VectorError::Busy))));
}

#[tokio::test]
async fn the_budget_of_a_search_begins_with_its_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let (searcher, snapshot, vectors) = (searcher(), shop(folder.path()), Memory::new(true));
    let budget = Duration::from_millis(300);
    let (free, held) = std::sync::mpsc::channel::<()>();
    let others = searcher.clone();
    let before = tokio::spawn(async move { others.blocking(move || Ok(held.recv_timeout(3 * budget).is_ok())).await });
    let request = SearchRequest { budget: Some(Budget::of(budget)), ..sofa() };
    let asked = searcher.search(&snapshot, Question { request, mode: Mode::Lexical, suiting: None }, &vectors);
    let found = asked.await.expect("an answer");
    assert_eq!((ids(&found), found.partial), (vec![SOFA], false));
    drop(free);
    assert!(
        matches!(before.await.expect("ended"), Ok(false)),
        "it was before the search, and took longer than its budget"
    );
}

#[tokio::test]
async fn facets_that_suit_are_chosen_by_the_search_or_by_staff() {
    let folder = tempfile::tempdir().expect("a folder");
    let (searcher, snapshot, vectors) = (searcher(), shop(folder.path()), Memory::new(true));
    let asked = |suiting| Question { request: sofa(), mode: Mode::Lexical, suiting: Some(suiting) };
    let fields = |found: &SearchAnswer| found.facets.iter().map(|facet| facet.field.clone()).collect::<Vec<_>>();
    let found = searcher.search(&snapshot, asked(Vec::new()), &vectors).await.expect("an answer");
    assert_eq!(fields(&found), ["category", "brand", "price", "available", "product_type"]);
    let displayed = serde_json::from_value(serde_json::json!([{"field": "brand", "order": "count", "hidden": false}]))
        .expect("settings");
    let found = searcher.search(&snapshot, asked(displayed), &vectors).await.expect("an answer");
    assert_eq!(fields(&found), ["brand"]);
}

#[tokio::test]
async fn similar_products_are_found_by_vectors_or_else_by_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let (searcher, snapshot) = (searcher(), shop(folder.path()));
    let found = searcher.similar(&snapshot, SHOP, SOFA, 1, &Memory::new(true)).await.expect("an answer").expect("some");
    assert_eq!((found.by, found.hits[0].card.id), (By::Vectors, COUCH));
    let found = searcher.similar(&snapshot, SHOP, SOFA, 1, &Memory::new(false)).await.expect("an answer");
    assert_eq!(found.map(|found| (found.by, found.hits.len())), Some((By::Words, 0)));
    let unknown = ProductId(Uuid::from_u128(99));
    assert_eq!(searcher.similar(&snapshot, SHOP, unknown, 1, &Memory::new(true)).await.expect("an answer"), None);
}
