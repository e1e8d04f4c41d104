//! Catalogs in other languages than English, and in several.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use search::{
    analyzer::Analysis,
    bundle::Bundle,
    document::{SearchDocument, SearchProduct},
    generation::{self, Manifest},
    lexical,
    offsets::Offsets,
    query::{SearchRequest, SearchResponse, Steering},
    reader::IndexHandle,
    synonyms::Synonyms,
    writer::IndexWriter,
};
use std::sync::Arc;

const SHOP: TenantId = TenantId(Uuid::from_u128(1));

struct Index {
    handle: IndexHandle,
    analysis: Analysis,
    _folder: tempfile::TempDir,
}

impl Index {
    /// Products of a brand and with titles, in languages.
    fn with(languages: &[&str], products: &[(&str, &str)]) -> Self {
        let languages = languages.iter().map(|name| (*name).to_owned()).collect();
        let analysis = Analysis { languages, ..Analysis::default() };
        let bundle = Bundle { analyzer: analysis.clone(), ..Bundle::default() };
        assert_eq!(bundle.findings(), []);
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = Manifest::new("g1", bundle, Timestamp::UNIX_EPOCH).expect("a manifest");
        generation::create(folder.path(), &manifest).expect("created");
        let mut writer = IndexWriter::open(folder.path(), "g1").expect("opened");
        for (number, (brand, title)) in products.iter().enumerate() {
            let product = SearchProduct {
                title: (*title).to_owned(),
                brand: Some((*brand).to_owned()),
                description: Some(format!("{title}. {brand}")),
                ..SearchProduct::default()
            };
            let product_id = ProductId(Uuid::from_u128(100 + number as u128));
            let document = SearchDocument { tenant_id: SHOP, product_id, doc_version: 1, product: Some(product) };
            writer.upsert(&document).expect("written");
        }
        writer.commit(Offsets::new()).expect("committed");
        Self { handle: IndexHandle::open(folder.path(), "g1").expect("opened"), analysis, _folder: folder }
    }

    fn ask(&self, request: &SearchRequest) -> SearchResponse {
        lexical::search(&self.handle.snapshot(), request).expect("found")
    }

    fn search(&self, text: &str) -> SearchResponse {
        self.ask(&SearchRequest { highlight: true, ..SearchRequest::text(SHOP, text, 10) })
    }

    /// The titles that are found, in order, with what is marked in them.
    fn titles(&self, text: &str) -> Vec<String> {
        self.search(text).hits.into_iter().filter_map(|hit| hit.highlights.get("title").cloned()).collect()
    }
}

fn french() -> Index {
    Index::with(
        &["french"],
        &[
            ("Encrier", "Imprimante laser"),
            ("Encrier", "Cartouche pour l'imprimante à jet d'encre"),
            ("Écran Total", "Écrans larges"),
        ],
    )
}

#[test]
fn french_words_are_found_in_one_and_many_behind_an_apostrophe_and_marked() {
    let index = french();
    let marked = ["<mark>Imprimante</mark> laser", "Cartouche pour l&#39;<mark>imprimante</mark> à jet d&#39;encre"];
    for query in ["imprimante", "imprimantes", "l'imprimante", "L’imprimante", "les imprimantes"] {
        let found = index.search(query);
        assert_eq!((found.corrections.len(), found.relaxed), (0, None), "{query}");
        assert_eq!(index.titles(query), marked, "{query}");
    }
    assert_eq!(index.titles("encres"), ["Cartouche pour l&#39;imprimante à jet d&#39;<mark>encre</mark>"]);
    assert_eq!(index.titles("ecran"), ["<mark>Écrans</mark> larges"]);
}

#[test]
fn french_words_are_corrected_completed_and_excluded() {
    let index = french();
    let found = index.search("imprimnate");
    assert_eq!(found.corrections.first().map(|correction| correction.read.as_str()), Some("imprimante"), "{found:?}");
    assert_eq!(found.total, 2);
    for typed in ["imprima", "impriman", "imprimant"] {
        let typing = SearchRequest { typing: true, ..SearchRequest::text(SHOP, typed, 10) };
        assert_eq!(index.ask(&typing).total, 2, "{typed}");
    }
    assert_eq!(index.titles("imprimante -cartouches"), ["<mark>Imprimante</mark> laser"]);
}

#[test]
fn brands_families_and_synonyms_are_read_in_the_language() {
    let index = french();
    let found = index.search("écran totaux");
    let understood: Vec<&str> = found.understood.iter().map(|understood| understood.value.as_str()).collect();
    assert_eq!(understood, ["brand:\"Écran Total\""]);
    let mut synonyms = Synonyms::of_texts(&index.analysis);
    synonyms.multi_way(&["moniteurs".to_owned(), "l'écran".to_owned()]);
    let steering = Arc::new(Steering { synonyms: Arc::new(synonyms), ..Steering::default() });
    let found = index.ask(&SearchRequest { steering, ..SearchRequest::text(SHOP, "moniteur", 10) });
    assert_eq!(found.hits.first().map(|hit| hit.card.title.as_str()), Some("Écrans larges"));
}

#[test]
fn german_words_are_found_in_any_case() {
    let index =
        Index::with(&["german"], &[("Bolt", "Papier für Drucker"), ("Bolt", "Großer Tisch"), ("Bolt", "Lampe")]);
    for query in ["Drucker", "Druckern", "druckers", "für den Drucker"] {
        assert_eq!(index.titles(query), ["Papier für <mark>Drucker</mark>"], "{query}");
    }
    assert_eq!(index.titles("grosse Tische"), ["<mark>Großer</mark> <mark>Tisch</mark>"]);
}

#[test]
fn a_catalog_in_two_languages_is_found_in_both() {
    let products = [("Bolt", "Papier für Drucker"), ("Bolt", "Gaming printers"), ("Bolt", "Print shop game")];
    for languages in [["english", "german"], ["german", "english"]] {
        let index = Index::with(&languages, &products);
        for query in ["Druckern", "Drucker"] {
            let found = index.search(query);
            assert_eq!((found.relaxed, found.corrections.len()), (None, 0), "{languages:?} {query}");
            assert_eq!(index.titles(query), ["Papier für <mark>Drucker</mark>"], "{languages:?} {query}");
        }
        // German takes the ending of `printer` off; what has the word itself comes first.
        let found = index.titles("printer");
        assert_eq!(found.first().map(String::as_str), Some("Gaming <mark>printers</mark>"), "{languages:?}");
    }
}
