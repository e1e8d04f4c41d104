//! What comes first among hits that match alike: the newest, and not ten of one family.
#![expect(clippy::expect_used, reason = "a test")]

use proptest::prelude::*;
use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use search::{
    document::{SearchDocument, SearchProduct},
    generation::{self, Manifest},
    lexical,
    offsets::Offsets,
    query::{Hit, SearchRequest, Sort},
    ranking::Ranking,
    reader::IndexHandle,
    writer::IndexWriter,
};
use std::time::Duration;

const SHOP: TenantId = TenantId(Uuid::from_u128(1));
const DAY: Duration = Duration::from_hours(24);

struct Index {
    handle: IndexHandle,
    _folder: tempfile::TempDir,
}

impl Index {
    fn with(products: impl IntoIterator<Item = SearchProduct>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        generation::create(folder.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
        let mut writer = IndexWriter::open(folder.path(), "g1").expect("opened");
        for (number, product) in products.into_iter().enumerate() {
            let product_id = ProductId(Uuid::from_u128(100 + number as u128));
            let document = SearchDocument { tenant_id: SHOP, product_id, doc_version: 1, product: Some(product) };
            writer.upsert(&document).expect("written");
        }
        writer.commit(Offsets::new()).expect("committed");
        Self { handle: IndexHandle::open(folder.path(), "g1").expect("opened"), _folder: folder }
    }

    fn hits(&self, request: &SearchRequest) -> Vec<Hit> {
        lexical::search(&self.handle.snapshot(), request).expect("found").hits
    }

    fn titles(&self, request: &SearchRequest) -> Vec<String> {
        self.hits(request).into_iter().map(|hit| hit.card.title).collect()
    }
}

fn product(title: &str) -> SearchProduct {
    SearchProduct { title: title.to_owned(), brand: Some("Acme".to_owned()), ..SearchProduct::default() }
}

fn asking(text: &str, ranking: Ranking) -> SearchRequest {
    SearchRequest { ranking: Some(ranking), ..SearchRequest::text(SHOP, text, 100) }
}

#[test]
fn the_newer_of_two_that_match_alike_comes_first_if_novelty_counts() {
    let now = Timestamp::UNIX_EPOCH + DAY * 1_000;
    let old = SearchProduct { released_at: Some(now - DAY * 300), ..product("Oak table") };
    let new = SearchProduct { released_at: Some(now - DAY * 30), ..product("Oak table") };
    let index = Index::with([product("Oak table"), old.clone(), new.clone()]);
    let ranking = Ranking { novelty_boost: 0.5, novelty_days: 30.0, ..Ranking::default() };
    let request = SearchRequest { now: Some(now), explain: true, ..asking("oak table", ranking) };
    let hits = index.hits(&request);
    let released: Vec<_> = hits.iter().map(|hit| hit.card.released_at).collect();
    assert_eq!(released, [new.released_at, old.released_at, None]);
    let said =
        |hit: &Hit| hit.explanation.iter().any(|part| part.part == "times 1.250 for novelty, released 30 days ago");
    assert!(said(&hits[0]) && !said(&hits[2]), "{:?}", hits[0].explanation);
    for unmoved in [
        SearchRequest { ranking: Some(Ranking { novelty_boost: 0.0, ..ranking }), ..request.clone() },
        SearchRequest { now: None, ..request },
    ] {
        assert_eq!(index.hits(&unmoved)[0].card.released_at, None, "equal hits stand as they were made");
    }
}

fn shirts() -> Index {
    let colors = ["red", "blue", "green", "white", "black", "pink"];
    let shirts = colors.map(|color| product(&format!("Plain cotton shirt with long sleeves {color}")));
    let others = (0..8).map(|number| product(&format!("shirt{number} shirt for people who would rather read{number}")));
    Index::with(shirts.into_iter().chain(others))
}

#[test]
fn colours_of_one_shirt_leave_room_on_the_page_and_explanations_say_so() {
    let (index, ranking) = (shirts(), Ranking { family_limit: 2, ..Ranking::default() });
    let request = SearchRequest { explain: true, ..asking("cotton shirt", Ranking { enough: 14, ..ranking }) };
    let hits = index.hits(&request);
    assert_eq!(hits.len(), 14);
    let of_family = |hits: &[Hit]| hits.iter().filter(|hit| hit.card.title.starts_with("Plain")).count();
    assert_eq!(of_family(&hits[..10]), 2);
    let behind = |hit: &Hit| hit.explanation.iter().any(|part| part.part.starts_with("family"));
    assert_eq!(hits.iter().map(behind).collect::<Vec<_>>(), (0..14).map(|place| place >= 10).collect::<Vec<_>>());
    let unlimited =
        SearchRequest { ranking: Some(Ranking { family_limit: 0, enough: 14, ..ranking }), ..request.clone() };
    assert_eq!(of_family(&index.hits(&unlimited)[..6]), 6);
    let sorted = SearchRequest { sort: Sort::Title, ..request };
    assert_eq!(of_family(&index.hits(&sorted)[..6]), 6);
}

#[test]
fn who_asks_for_a_code_gets_all_that_have_it_first() {
    let toner =
        |end: &str| SearchProduct { part_number: Some(format!("LC-51{end}")), ..product("LC-51 toner cartridge") };
    let index = Index::with(
        ["C", "M", "Y", "K"]
            .map(toner)
            .into_iter()
            .chain([product("Toner waste box made of grey steel for any LC-51 printer in the workshop")]),
    );
    let ranking = Ranking { family_limit: 1, enough: 5, ..Ranking::default() };
    let titles = index.titles(&asking("lc-51", ranking));
    let unlimited = index.titles(&asking("lc-51", Ranking { family_limit: 0, ..ranking }));
    assert_eq!((titles.len(), &titles), (5, &unlimited));
    let titles = index.titles(&asking("toner", ranking));
    assert_eq!(titles[1], "Toner waste box made of grey steel for any LC-51 printer in the workshop", "{titles:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_any_size_are_the_whole_in_the_same_order(
        of in proptest::collection::vec(0..5_usize, 1..60), family_limit in 0..4_usize, window in 1..40_usize, size in 1..17_usize,
    ) {
        let titles = ["plain cotton shirt red", "plain cotton shirt blue", "silk shirt", "shirt box for the wardrobe", "shirt"];
        let index = Index::with(of.iter().map(|title| product(titles[*title])));
        let request = asking("shirt", Ranking { family_limit, window, ..Ranking::default() });
        let ids = |request: &SearchRequest| index.hits(request).into_iter().map(|hit| hit.card.id).collect::<Vec<_>>();
        let whole = ids(&request);
        let page = |offset| ids(&SearchRequest { offset, limit: size, ..request.clone() });
        let pages: Vec<ProductId> = (0..of.len()).step_by(size).flat_map(page).collect();
        prop_assert_eq!(&pages, &whole);
        let mut distinct = whole;
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), of.len());
    }
}
