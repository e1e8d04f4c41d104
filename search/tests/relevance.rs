//! Relevance on a real catalog with human judgments; skipped where the data is not there.
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    events::catalog::AttributeValue,
    ids::{ProductId, TenantId, VariantId},
};
use search::{
    document::{DocumentVariant, SearchDocument, SearchProduct},
    generation::{self, Manifest},
    lexical,
    query::SearchRequest,
    ranking::Ranking,
    reader::IndexHandle,
    writer::IndexWriter,
};
use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    time::Instant,
};

fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/electronics");
    let folder = std::env::var_os("SOUK_TEST_CATALOG").map_or(beside, PathBuf::from);
    if folder.exists() {
        return Some(folder);
    }
    test_skips::skip("the electronics catalog is not beside this repository; SOUK_TEST_CATALOG names its folder");
    None
}

fn tenant() -> TenantId {
    TenantId(Uuid::from_u128(1))
}

fn documents(folder: &Path) -> Vec<SearchDocument> {
    let file = std::fs::File::open(folder.join("products.ndjson.gz")).expect("the catalog");
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let mut documents = Vec::new();
    for (index, line) in lines.enumerate() {
        let source: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&line.expect("a line")).expect("JSON");
        let text = |name: &str| source.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let attributes: BTreeMap<_, _> = source
            .iter()
            .filter_map(|(name, value)| {
                let name = name.strip_prefix("attr_")?.get(2..)?.to_owned();
                Some((name, serde_json::from_value::<AttributeValue>(value.clone()).ok()?))
            })
            .collect();
        let product = SearchProduct {
            external_id: text("id"),
            slug: format!("p-{index}"),
            title: text("title").unwrap_or_default(),
            part_number: text("name"),
            brand: text("supplier"),
            product_type: text("attr_t_product_type"),
            description: text("short_description"),
            attributes,
            available: true,
            variants: vec![DocumentVariant {
                id: VariantId(Uuid::from_u128(1_000 + index as u128)),
                sku: text("id").unwrap_or_default(),
                eans: serde_json::from_value(source.get("ean").cloned().unwrap_or_default()).unwrap_or_default(),
                options: BTreeMap::new(),
                attributes: BTreeMap::new(),
                prices: BTreeMap::new(),
                on_hand: 25,
                availability: None,
            }],
            ..SearchProduct::default()
        };
        documents.push(SearchDocument {
            tenant_id: tenant(),
            product_id: ProductId(Uuid::from_u128(1_000 + index as u128)),
            doc_version: 1,
            product: Some(product),
        });
    }
    documents
}

fn judgments(folder: &Path) -> BTreeMap<String, HashMap<String, f64>> {
    let mut judgments: BTreeMap<String, HashMap<String, f64>> = BTreeMap::new();
    for row in csv::Reader::from_path(folder.join("judgments.csv")).expect("judgments").records() {
        let row = row.expect("a row");
        judgments.entry(row[0].to_owned()).or_default().insert(row[1].to_owned(), row[2].parse().expect("a rating"));
    }
    judgments.retain(|_, ratings| ratings.values().any(|rating| *rating > 0.0));
    judgments
}

/// Järvelin and Kekäläinen: gain 2^rating - 1, discount log2(rank + 1), cut at ten.
#[expect(clippy::cast_precision_loss, reason = "ranks are small")]
fn ndcg_10(ratings: &HashMap<String, f64>, ranking: &[String]) -> f64 {
    let dcg = |gains: &[f64]| -> f64 {
        gains.iter().take(10).enumerate().map(|(i, rating)| (2_f64.powf(*rating) - 1.0) / ((i + 2) as f64).log2()).sum()
    };
    let gains: Vec<f64> = ranking.iter().map(|id| ratings.get(id).copied().unwrap_or(0.0)).collect();
    let mut ideal: Vec<f64> = ratings.values().copied().collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    dcg(&gains) / dcg(&ideal)
}

/// Settings to try, as JSON in `SOUK_RANKING`; the shipped ones otherwise.
fn settings() -> Option<Ranking> {
    let text = std::env::var("SOUK_RANKING").ok()?;
    Some(serde_json::from_str(&text).expect("ranking settings"))
}

#[test]
fn lexical_search_reaches_the_floor_on_human_judgments() {
    let Some(folder) = data() else { return };
    let root = tempfile::tempdir().expect("a folder");
    generation::create(root.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let mut writer = IndexWriter::open(root.path(), "g1").expect("opened");
    let documents = documents(&folder);
    let start = Instant::now();
    for document in &documents {
        writer.upsert(document).expect("written");
    }
    writer.commit(BTreeMap::default()).expect("committed");
    eprintln!("{} documents indexed in {:?}", documents.len(), start.elapsed());
    let index = IndexHandle::open(root.path(), "g1").expect("opened");
    let snapshot = index.snapshot();
    let judgments = judgments(&folder);
    let (mut sum, start) = (0.0, Instant::now());
    let mut condensed = 0.0;
    for (query, ratings) in &judgments {
        let request = SearchRequest { ranking: settings(), ..SearchRequest::text(tenant(), query, 200) };
        let found = lexical::search(&snapshot, &request).expect("found");
        let mut ranking: Vec<String> = found.hits.into_iter().filter_map(|hit| hit.card.external_id).collect();
        let of_query = ndcg_10(ratings, &ranking);
        eprintln!("{of_query:.2} {query}");
        sum += of_query;
        ranking.retain(|id| ratings.contains_key(id));
        condensed += ndcg_10(ratings, &ranking);
    }
    #[expect(clippy::cast_precision_loss, reason = "64 queries")]
    let (mean, condensed) = (sum / judgments.len() as f64, condensed / judgments.len() as f64);
    eprintln!(
        "NDCG@10 {mean:.4}, condensed {condensed:.4} over {} queries, {:?} in all",
        judgments.len(),
        start.elapsed()
    );
    assert_eq!(judgments.len(), 64);
    assert!(mean >= 0.75, "NDCG@10 is {mean:.4}");
}
