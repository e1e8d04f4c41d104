//! Queries as people type them: misspelt, joined, split, half finished.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use search::{
    document::{SearchDocument, SearchProduct},
    generation::{self, Manifest},
    lexical,
    offsets::Offsets,
    query::{SearchRequest, SearchResponse},
    ranking::Ranking,
    reader::IndexHandle,
    writer::IndexWriter,
};

const SHOP: TenantId = TenantId(Uuid::from_u128(1));
const OTHER_SHOP: TenantId = TenantId(Uuid::from_u128(2));

struct Index {
    handle: IndexHandle,
    _folder: tempfile::TempDir,
}

impl Index {
    fn with(titles: &[&str]) -> Self {
        Self::beside(titles, &["Marmalade toaster"])
    }

    fn beside(titles: &[&str], others: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        generation::create(folder.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
        let mut writer = IndexWriter::open(folder.path(), "g1").expect("opened");
        let all = titles.iter().map(|title| (SHOP, title)).chain(others.iter().map(|title| (OTHER_SHOP, title)));
        for (number, (tenant_id, title)) in all.enumerate() {
            let product = SearchProduct { title: (*title).to_owned(), ..SearchProduct::default() };
            let product_id = ProductId(Uuid::from_u128(100 + number as u128));
            let document = SearchDocument { tenant_id, product_id, doc_version: 1, product: Some(product) };
            writer.upsert(&document).expect("written");
        }
        writer.commit(Offsets::new()).expect("committed");
        Self { handle: IndexHandle::open(folder.path(), "g1").expect("opened"), _folder: folder }
    }

    fn search(&self, text: &str) -> SearchResponse {
        lexical::search(&self.handle.snapshot(), &SearchRequest::text(SHOP, text, 10)).expect("found")
    }

    /// The first title, and what was read as something else.
    fn first(&self, text: &str) -> (Option<String>, Vec<(String, String)>) {
        let found = self.search(text);
        let corrections = found.corrections.into_iter().map(|c| (c.written, c.read)).collect();
        (found.hits.first().map(|hit| hit.card.title.clone()), corrections)
    }
}

fn shop() -> Index {
    Index::with(&[
        "Wireless keyboard",
        "Gaming headset",
        "Laptop sleeve",
        "Memory card reader",
        "Sleeve board",
        "Head lamp",
    ])
}

fn pair(written: &str, read: &str) -> Vec<(String, String)> {
    vec![(written.to_owned(), read.to_owned())]
}

#[test]
fn misspelt_words_find_the_nearest_ones() {
    let shop = shop();
    for (written, read, title) in [
        ("keybaord", "keyboard", "Wireless keyboard"),
        ("heaset", "headset", "Gaming headset"),
        ("laptpo", "laptop", "Laptop sleeve"),
        ("labtop", "laptop", "Laptop sleeve"),
        ("wirelles", "wireless", "Wireless keyboard"),
    ] {
        assert_eq!(shop.first(written), (Some(title.to_owned()), pair(written, read)), "{written}");
    }
}

#[test]
fn words_that_are_known_are_taken_as_they_are() {
    let (title, corrections) = shop().first("sleeve laptop");
    assert_eq!((title.as_deref(), corrections.len()), (Some("Laptop sleeve"), 0));
}

#[test]
fn joined_and_split_words_find_each_other() {
    let shop = shop();
    assert_eq!(shop.first("head set"), (Some("Gaming headset".to_owned()), vec![]));
    assert_eq!(shop.first("memorycard"), (Some("Memory card reader".to_owned()), pair("memorycard", "memory card")));
}

#[test]
fn the_last_word_may_be_half_typed() {
    let shop = shop();
    assert_eq!(shop.first("wireless keyb"), (Some("Wireless keyboard".to_owned()), pair("keyb", "keyboard")));
    let (_, corrections) = shop.first("keyb wireless");
    assert!(corrections.is_empty(), "only the last: {corrections:?}");
}

#[test]
fn words_in_the_order_of_the_title_come_first() {
    let index = Index::with(&["board sleeve", "Sleeve board"]);
    assert_eq!(index.first("sleeve board").0.as_deref(), Some("Sleeve board"));
}

#[test]
fn what_another_shop_sells_is_unknown_here() {
    let found = shop().search("marmelade");
    assert_eq!((found.total, found.corrections.len()), (0, 0), "{:?}", found.corrections);
}

#[test]
fn measures_are_found_in_any_spelling_and_all_words_are_wanted() {
    let titles =
        ["Notebook 39.6 cm (15.6\")", "Notebook sleeve 14 inch", "Disk 2000 GB", "Notebook stand", "Notebook lock"];
    let index = Index::with(&titles);
    for query in ["15.6\" notebook", "notebook 15.6 inch", "15.6-inch notebooks"] {
        let request = SearchRequest {
            ranking: Some(Ranking { enough: 1, ..Ranking::default() }),
            ..SearchRequest::text(SHOP, query, 10)
        };
        let found = lexical::search(&index.handle.snapshot(), &request).expect("found");
        assert_eq!((found.total, found.relaxed), (1, None), "{query}");
    }
    assert_eq!(index.first("2 tb disk").0.as_deref(), Some("Disk 2000 GB"));
    assert_eq!(index.search("2tb").total, 1);
}

#[test]
fn fewer_words_are_enough_where_no_product_has_all_and_the_answer_says_so() {
    let found = shop().search("gaming headset lamp");
    assert_eq!(found.relaxed.map(|relaxed| (relaxed.matched, relaxed.of)), Some((1, 3)), "{found:?}");
    assert_eq!(found.hits[0].card.title, "Gaming headset");
}

#[test]
fn what_is_typed_beside_words_is_understood() {
    let index = Index::with(&["Wireless mouse", "Wired mouse", "Mouse mat"]);
    let found = index.search("mouse -wireless \"wired mouse\" under 20");
    let kinds: Vec<&str> = found.understood.iter().map(|understood| understood.kind.as_str()).collect();
    assert_eq!(kinds, ["price", "without", "phrase"]);
    // None has a price.
    assert_eq!(found.total, 0);
    let found = index.search("mouse -wireless \"wired mouse\"");
    assert_eq!(found.hits.iter().map(|hit| hit.card.title.as_str()).collect::<Vec<_>>(), ["Wired mouse"]);
}

#[test]
fn while_typing_the_last_word_is_all_it_may_become() {
    let index = Index::with(&["Wireless headset", "Heat gun", "Heat pump", "Heat lamp"]);
    let request = SearchRequest { typing: true, ..SearchRequest::text(SHOP, "wireless hea", 10) };
    let found = lexical::search(&index.handle.snapshot(), &request).expect("found");
    assert_eq!(found.hits[0].card.title, "Wireless headset");
    assert_eq!(found.corrections, []);
}

#[test]
fn what_another_shop_sells_changes_no_score() {
    let titles = ["Blue lamp", "Blue chair", "Red lamp with a rather long description of its shade", "Desk"];
    let others = ["lamp"; 40].iter().chain(&["blue whale song in a very long title of many words"; 9]).copied();
    let (quiet, loud) = (Index::with(&titles), Index::beside(&titles, &others.collect::<Vec<_>>()));
    for query in ["blue lamp", "lamp", "red desk lamp"] {
        let scores = |index: &Index| {
            let hits = index.search(query).hits;
            hits.into_iter().map(|hit| (hit.card.title, format!("{:.3}", hit.score))).collect::<Vec<_>>()
        };
        assert_eq!(scores(&quiet), scores(&loud), "{query}");
    }
}

#[test]
fn a_number_and_a_letter_are_a_measure_where_the_shop_has_it() {
    let titles = ["Cable 5m black", "Cable 5 m white", "Lamp 5 cable", "Cable 5 type M", "Cable 10m"];
    let index = Index::with(&titles);
    for query in ["cable 5 m", "5m cable"] {
        let request = SearchRequest {
            ranking: Some(Ranking { enough: 1, ..Ranking::default() }),
            ..SearchRequest::text(SHOP, query, 10)
        };
        let found = lexical::search(&index.handle.snapshot(), &request).expect("found");
        let mut titles: Vec<&str> = found.hits.iter().map(|hit| hit.card.title.as_str()).collect();
        titles.sort_unstable();
        assert_eq!((titles, found.relaxed), (vec!["Cable 5 m white", "Cable 5m black"], None), "{query}");
    }
    // No product has 7m, so that they are a number and a letter.
    assert_eq!(index.first("type m 7").0.as_deref(), Some("Cable 5 type M"));
}

#[test]
fn a_misspelt_word_is_read_as_what_this_shop_has_more_of() {
    let others = ["Boat"; 30].iter().chain(&["Coat boar"; 12]).copied().collect::<Vec<_>>();
    let near = ["boax", "boay", "boaz", "boau", "boav", "boaw", "boak", "boal"].repeat(40);
    let others: Vec<&str> = others.into_iter().chain(near).collect();
    let index = Index::beside(&["Boat rope", "Bolt", "Bolt set", "Bolt cutter"], &others);
    assert_eq!(index.first("boot").1, pair("boot", "bolt"));
}
