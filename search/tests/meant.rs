//! Where the words of a query are those of other products than the ones that are meant.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    events::catalog::AttributeValue,
    ids::{ProductId, TenantId},
};
use search::{
    document::{SearchDocument, SearchProduct},
    fuse,
    generation::{self, Manifest},
    lexical::{self, Searched},
    offsets::Offsets,
    query::SearchRequest,
    ranking::Ranking,
    reader::IndexHandle,
    writer::IndexWriter,
};

const SHOP: TenantId = TenantId(Uuid::from_u128(1));
/// Products of each kind.
const EACH: u128 = 20;

fn id(number: u128) -> ProductId {
    ProductId(Uuid::from_u128(100 + number))
}

/// Sleeves that say `laptop`, notebooks that don't, and other things; kinds differ by their attributes.
fn shop(folder: &std::path::Path) -> IndexHandle {
    generation::create(folder, &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let mut writer = IndexWriter::open(folder, "g1").expect("opened");
    let kinds: [(&str, &[&str]); 3] = [
        ("Laptop sleeve", &["material", "weight"]),
        ("Notebook", &["processor", "memory", "weight"]),
        ("Office chair", &["seat_height", "weight"]),
    ];
    for (kind, (title, attributes)) in (0..).zip(kinds) {
        for number in 0..EACH {
            let value = |name: &&str| ((*name).to_owned(), AttributeValue::Text(format!("{name} {number}")));
            let product = SearchProduct {
                title: format!("{title} {number}"),
                attributes: attributes.iter().map(value).collect(),
                ..SearchProduct::default()
            };
            let product_id = id(kind * EACH + number);
            let document = SearchDocument { tenant_id: SHOP, product_id, doc_version: 1, product: Some(product) };
            writer.upsert(&document).expect("written");
        }
    }
    writer.commit(Offsets::new()).expect("committed");
    IndexHandle::open(folder, "g1").expect("opened")
}

#[test]
fn what_is_near_by_meaning_tells_the_kind_where_the_words_belong_to_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let handle = shop(folder.path());
    let (snapshot, ranking) = (handle.snapshot(), Ranking::default());
    let request = SearchRequest { limit: 60, ..SearchRequest::text(SHOP, "laptop", 60) };
    let found = lexical::search(&snapshot, &request).expect("found");
    let words: Vec<(ProductId, f32)> = found.hits.iter().map(|hit| (hit.card.id, hit.score)).collect();
    assert_eq!(found.total, usize::try_from(EACH).expect("few"), "sleeves alone");
    // The nearest are notebooks, and sleeves not much further.
    let of =
        |kind: u128, best: f32| (0..10_u8).map(move |n| (id(kind * EACH + u128::from(n)), best - f32::from(n) * 0.002));
    let near: Vec<(ProductId, f32)> = of(1, 0.6).chain(of(0, 0.55)).collect();
    let gap = fuse::gap(&words, &near, 1.0, &ranking);
    assert!((gap - 1.0).abs() < 1e-6, "{gap}");
    let mut fused = fuse::convex(&words, &near, ranking.gap_share, ranking.unrelated);
    let searched = Searched::new(&snapshot, &request).expect("read");
    searched.by_meant_kind(&near, &mut fused, 0.3).expect("ordered");
    let notebooks = |scored: &&fuse::Scored| (EACH..2 * EACH).any(|number| scored.id == id(number));
    assert_eq!(fused.iter().take_while(notebooks).count(), 10, "{fused:?}");
    assert!(fused[0].kind > 0.0 && fused[10].kind < fused[0].kind, "{fused:?}");
    // Where words and meaning agree, kinds have no say.
    let near: Vec<(ProductId, f32)> = of(0, 0.6).collect();
    assert!(fuse::gap(&words, &near, 1.0, &ranking).abs() < 1e-6);
}
