//! What shoppers and shops write, and what is meant by it: forms of words, exclusions, prices, codes, dates, order.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid, filter,
    ids::{ProductId, TenantId, VariantId},
    money::Currency,
};
use search::{
    document::{DocumentVariant, PriceSpan, SearchDocument, SearchProduct},
    generation::{self, Manifest},
    lexical,
    offsets::Offsets,
    query::{Facet, SearchRequest, Sort, Steering},
    ranking::Ranking,
    reader::IndexHandle,
    writer::IndexWriter,
};
use std::{collections::BTreeMap, sync::Arc};

const SHOP: TenantId = TenantId(Uuid::from_u128(1));

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
            let document =
                SearchDocument { tenant_id: SHOP, product_id: id(number), doc_version: 1, product: Some(product) };
            writer.upsert(&document).expect("written");
        }
        writer.commit(Offsets::new()).expect("committed");
        Self { handle: IndexHandle::open(folder.path(), "g1").expect("opened"), _folder: folder }
    }

    fn titles(&self, request: &SearchRequest) -> Vec<String> {
        let found = lexical::search(&self.handle.snapshot(), request).expect("found");
        assert_eq!(found.corrections, [], "{}", request.text);
        found.hits.into_iter().map(|hit| hit.card.title).collect()
    }

    fn sorted(&self, request: &SearchRequest) -> Vec<String> {
        let mut titles = self.titles(request);
        titles.sort();
        titles
    }
}

fn id(number: usize) -> ProductId {
    ProductId(Uuid::from_u128(100 + number as u128))
}

fn product(title: &str) -> SearchProduct {
    SearchProduct { title: title.to_owned(), ..SearchProduct::default() }
}

fn text(text: &str) -> SearchRequest {
    SearchRequest::text(SHOP, text, 50)
}

fn filtered(filter: &str) -> SearchRequest {
    SearchRequest { filter: Some(filter::parse(filter).expect("a filter")), ..text("") }
}

#[test]
fn one_word_in_two_unicode_forms_is_found_by_both() {
    let pairs = [
        ("Cre\u{300}me dish", "Cr\u{e8}me bowl", vec!["cr\u{e8}me", "cre\u{300}me", "creme", "CRÈME"]),
        ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8} cup", "\u{d55c}\u{ad6d} plate", vec!["\u{d55c}\u{ad6d}"]),
        ("\u{130}stanbul tray", "istanbul tile", vec!["istanbul", "\u{130}STANBUL"]),
        ("Cap 100 \u{b5}F", "Cap 200 \u{3bc}F", vec!["\u{b5}F", "\u{3bc}f"]),
        ("K\u{fc}hl\u{ad}schrank weiss", "K\u{fc}hlschrank rot", vec!["k\u{fc}hlschrank", "kuehl kuhlschrank"]),
        ("Blue\u{200b}tooth speaker", "Bluetooth headset", vec!["bluetooth", "blue\u{200b}tooth"]),
        ("\u{ff37}ide lens", "Wide lens", vec!["wide", "\u{ff37}IDE"]),
        (
            "\u{39f}\u{394}\u{39f}\u{3a3} map",
            "\u{3bf}\u{3b4}\u{3bf}\u{3c2} atlas",
            vec!["\u{3bf}\u{3b4}\u{3bf}\u{3c2}"],
        ),
    ];
    let index = Index::with(pairs.iter().flat_map(|(one, other, _)| [product(one), product(other)]));
    for (one, other, queries) in pairs {
        for query in queries.into_iter().filter(|query| !query.contains(' ')) {
            assert_eq!(
                index.sorted(&text(query)),
                {
                    let mut both = vec![one, other];
                    both.sort_unstable();
                    both
                },
                "{query}"
            );
        }
    }
    let brands = Index::with(
        ["Bohe\u{300}me", "Boh\u{e8}me"].map(|brand| SearchProduct { brand: Some(brand.to_owned()), ..product("Cup") }),
    );
    assert_eq!(brands.titles(&filtered("brand:Boh\u{e8}me")).len(), 2);
    assert_eq!(brands.titles(&filtered("brand:Bohe\u{300}me")).len(), 2);
}

#[test]
fn what_is_excluded_is_excluded_whole() {
    let titles = [
        "Wi-Fi speaker",
        "WiFi speaker",
        "Hi-Fi speaker",
        "Left handed mouse",
        "Right handed mouse",
        "USB-C charger",
        "USB-A charger",
        "Made in Italy bowl",
        "Italy bowl",
    ];
    let index = Index::with(titles.map(product));
    for (query, found) in [
        ("speaker -wi-fi", vec!["Hi-Fi speaker"]),
        ("speaker -wifi", vec!["Hi-Fi speaker"]),
        ("charger without usb-c", vec!["USB-A charger"]),
        ("charger -usb-a", vec!["USB-C charger"]),
        ("charger -\"usb c\"", vec!["USB-A charger"]),
        ("mouse -\"left handed\"", vec!["Right handed mouse"]),
        ("mouse without “left handed”", vec!["Right handed mouse"]),
        ("bowl -\"made in italy\"", vec!["Italy bowl"]),
        ("bowl \"made in italy\"", vec!["Made in Italy bowl"]),
        ("mouse -handed", vec![]),
    ] {
        assert_eq!(index.sorted(&text(query)), found, "{query}");
    }
}

fn priced(title: &str, prices: &[(&str, i64)]) -> SearchProduct {
    let span = |(code, amount): &(&str, i64)| {
        let currency: Currency = code.parse().expect("a code");
        (currency, PriceSpan { min: *amount, max: *amount, list: *amount })
    };
    SearchProduct { prices: prices.iter().map(span).collect(), ..product(title) }
}

#[test]
fn a_number_in_a_name_is_no_price_and_money_that_is_named_is_meant() {
    let index = Index::with([
        priced("Air Max 90 sneaker", &[("USD", 12_000)]),
        priced("Air cheap sneaker", &[("USD", 4_500)]),
        priced("Board game for 2 to 4 players", &[("USD", 3_900)]),
        priced("Rice cooker one", &[("EUR", 1_500), ("USD", 9_900)]),
        priced("Rice cooker two", &[("EUR", 9_900), ("USD", 1_500)]),
    ]);
    assert_eq!(index.titles(&text("air max 90"))[0], "Air Max 90 sneaker");
    assert_eq!(index.titles(&text("sneaker under 90")), ["Air cheap sneaker"]);
    assert_eq!(index.titles(&text("board game between 2 and 4 players"))[0], "Board game for 2 to 4 players");
    assert_eq!(index.titles(&text("rice cooker under €20")), ["Rice cooker one"]);
    assert_eq!(index.titles(&text("rice cooker under 20 euros")), ["Rice cooker one"]);
    assert_eq!(index.titles(&text("rice cooker under 20")), ["Rice cooker two"]);
}

#[test]
fn a_gtin_is_found_with_its_zeros_and_without() {
    let with = |title: &str, ean: &str| {
        let variant = DocumentVariant {
            id: VariantId(Uuid::nil()),
            sku: title.to_owned(),
            eans: vec![ean.to_owned()],
            options: BTreeMap::new(),
            attributes: BTreeMap::new(),
            prices: BTreeMap::new(),
            on_hand: 0,
            availability: None,
        };
        SearchProduct { variants: vec![variant], ..product(title) }
    };
    let index = Index::with([with("Console", "0711719814153"), with("Pens", "04006381333931")]);
    for (query, found) in [
        ("0711719814153", "Console"),
        ("711719814153", "Console"),
        ("00711719814153", "Console"),
        ("7 11719 81415 3", "Console"),
        ("4006381333931", "Pens"),
    ] {
        assert_eq!(index.titles(&text(query)), [found], "{query}");
    }
}

#[test]
fn while_typing_a_stop_word_may_be_a_beginning() {
    let index = Index::with(["Toaster", "Notebook", "Beanie", "Red hoodie", "Cable"].map(product));
    for (query, found) in [
        ("t", "Toaster"),
        ("to", "Toaster"),
        ("toa", "Toaster"),
        ("no", "Notebook"),
        ("not", "Notebook"),
        ("be", "Beanie"),
        ("hoodi", "Red hoodie"),
        ("red hoo", "Red hoodie"),
        ("cable to", "Cable"),
        ("cable to ", "Cable"),
    ] {
        assert_eq!(index.titles(&SearchRequest { typing: true, ..text(query) })[0], found, "{query}");
    }
    assert_eq!(index.titles(&SearchRequest { typing: true, ..text("to ") }), [""; 0]);
    assert_eq!(index.titles(&text("to")), [""; 0]);
}

#[test]
fn dates_are_spans_and_have_no_end() {
    let released =
        |title: &str, at: &str| SearchProduct { released_at: Some(at.parse().expect("a moment")), ..product(title) };
    let index = Index::with([
        released("ancient", "0001-01-01T00:00:00Z"),
        released("midnight", "2021-05-31T00:00:00Z"),
        released("morning", "2021-05-31T08:30:00Z"),
        released("june", "2021-06-01T00:00:00Z"),
        released("far", "2300-01-01T00:00:00Z"),
        released("never", "9999-12-31T00:00:00Z"),
        product("undated"),
    ]);
    for (filter, found) in [
        ("released:2021-05-31", vec!["midnight", "morning"]),
        ("released<=2021-05-31", vec!["ancient", "midnight", "morning"]),
        ("released<2021-05-31", vec!["ancient"]),
        ("released>2021-05-31", vec!["far", "june", "never"]),
        ("released:2021-05", vec!["midnight", "morning"]),
        ("released:2021", vec!["june", "midnight", "morning"]),
        ("released:2020..2021", vec!["june", "midnight", "morning"]),
        ("released:2022..", vec!["far", "never"]),
        ("released:..2021-05", vec!["ancient", "midnight", "morning"]),
        ("released>=2262-04-12", vec!["far", "never"]),
        ("released<=9999-12-31", vec!["ancient", "far", "june", "midnight", "morning", "never"]),
        ("released:2021-05-31T08:30", vec!["morning"]),
        ("released:2300,2021-06", vec!["far", "june"]),
        ("released:*", vec!["ancient", "far", "june", "midnight", "morning", "never"]),
        ("released<1", vec![]),
    ] {
        let Ok(parsed) = filter::parse(filter) else {
            assert_eq!(filter, "released<1", "the only one that can't be read");
            continue;
        };
        assert_eq!(index.sorted(&SearchRequest { filter: Some(parsed), ..text("") }), found, "{filter}");
    }
    let newest = index.titles(&SearchRequest { sort: Sort::Newest, ..text("") });
    assert_eq!(newest, ["never", "far", "june", "morning", "midnight", "ancient", "undated"]);
}

#[test]
fn titles_stand_in_the_order_in_which_people_look_for_them() {
    let index = Index::with(["Zucker", "Äpfel", "iPad case", "Éclair", "Banane", "banane"].map(product));
    let sorted = index.titles(&SearchRequest { sort: Sort::Title, ..text("") });
    assert_eq!(sorted, ["Äpfel", "banane", "Banane", "Éclair", "iPad case", "Zucker"]);
    assert_eq!(index.titles(&SearchRequest { sort: Sort::Shelf, ..text("") }), sorted);
}

#[test]
fn all_values_of_a_facet_are_searched_whatever_their_accents() {
    let branded = |brand: String| SearchProduct { brand: Some(brand), ..product("Book") };
    let many = (0..10_050).map(|number| branded(format!("Author {number:05}")));
    let rare = ["Zzyzx Press", "Bohème", "İnci"].map(|brand| branded(brand.to_owned()));
    let index = Index::with(many.chain(rare));
    for (search, found) in [("zzyzx", "Zzyzx Press"), ("BOHEME", "Bohème"), ("inci", "İnci"), ("bohe\u{300}", "Bohème")]
    {
        let facet = Facet { search: Some(search.to_owned()), ..Facet::new(filter::Field::Brand, 10) };
        let request = SearchRequest { facets: vec![facet], limit: 0, ..text("") };
        let answer = lexical::search(&index.handle.snapshot(), &request).expect("found");
        let values: Vec<_> = answer.facets[0].values.iter().map(|value| value.value.clone()).collect();
        assert_eq!(values, [found], "{search}");
    }
}

#[test]
fn what_staff_want_counts_without_words_and_a_pin_takes_nobodys_place() {
    let index = Index::with((0..8).map(|number| {
        let available = number == 6;
        SearchProduct { available, ..product(&format!("Shoe {number}")) }
    }));
    let boost = (filter::parse("id:00000000-0000-0000-0000-000000000069").expect("a filter"), 5.0);
    let steering =
        Arc::new(Steering { boosts: vec![boost], pins: vec![(2, id(7)), (40, id(0))], ..Steering::default() });
    let ranking = Ranking { available_boost: 1.0, ..Ranking::default() };
    let request = SearchRequest { steering, ranking: Some(ranking), ..text("") };
    for sort in [Sort::Relevance, Sort::Shelf] {
        let request = SearchRequest { sort, facets: vec![Facet::new(filter::Field::Available, 5)], ..request.clone() };
        let whole = index.titles(&request);
        assert_eq!(whole, ["Shoe 5", "Shoe 7", "Shoe 6", "Shoe 1", "Shoe 2", "Shoe 3", "Shoe 4", "Shoe 0"]);
        for limit in 1..9 {
            let page = |offset| index.titles(&SearchRequest { offset, limit, ..request.clone() });
            assert_eq!((0..9).step_by(limit).flat_map(page).collect::<Vec<_>>(), whole, "pages of {limit}");
        }
    }
    // Where words are asked for, what is pinned is a hit and counted.
    let request = SearchRequest { text: "shoe 3".to_owned(), ..request };
    let request = SearchRequest { facets: vec![Facet::new(filter::Field::Available, 5)], ..request };
    let unpinned =
        lexical::search(&index.handle.snapshot(), &SearchRequest { steering: Arc::default(), ..request.clone() })
            .expect("found");
    let answer = lexical::search(&index.handle.snapshot(), &request).expect("found");
    let counted: u64 = answer.facets[0].values.iter().map(|value| value.count).sum();
    assert_eq!((answer.total, counted), (answer.hits.len(), answer.total as u64));
    assert!(answer.total >= unpinned.total && answer.hits[1].pinned);
}

#[test]
fn a_long_value_is_found_by_filters_and_told_apart_by_its_beginning() {
    use schemas::events::catalog::AttributeValue;
    use search::schema::TOLD_APART_BY;
    let long = |end: &str| format!("{}{end}", "å".repeat(TOLD_APART_BY));
    let with = |title: &str, value: String| {
        let mut own = product(title);
        own.attributes.insert("care".to_owned(), AttributeValue::Text(value.clone()));
        own.variants = vec![DocumentVariant {
            id: VariantId(Uuid::nil()),
            sku: title.to_owned(),
            eans: Vec::new(),
            options: BTreeMap::new(),
            attributes: BTreeMap::from([("note".to_owned(), AttributeValue::Text(value))]),
            prices: BTreeMap::new(),
            on_hand: 0,
            availability: None,
        }];
        own
    };
    let index = Index::with([with("One", long("one")), with("Other", long("other")), with("Short", "å".repeat(9))]);
    for field in ["attr.care", "variant(attr.note"] {
        let close = if field.contains('(') { ")" } else { "" };
        let by = |value: &str| filtered(&format!("{field}:\"{value}\"{close}"));
        assert_eq!(index.sorted(&by(&long("one"))), ["One", "Other"]);
        assert_eq!(index.sorted(&by(&long(""))), ["One", "Other"]);
        assert_eq!(index.sorted(&by(&"å".repeat(TOLD_APART_BY - 1))), [""; 0]);
        assert_eq!(index.sorted(&by(&"å".repeat(9))), ["Short"]);
    }
}
