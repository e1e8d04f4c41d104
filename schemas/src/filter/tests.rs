use super::*;
use proptest::prelude::*;
use serde_json::json;

fn text(filter: &str) -> String {
    parse(filter).expect(filter).to_string()
}

fn position(filter: &str) -> (usize, String) {
    let error = parse(filter).expect_err(filter);
    (error.position, error.reason)
}

#[test]
fn the_text_form_is_read() {
    assert_eq!(text("brand:Canon,\"A, B \"\"C\"\"\""), "brand:Canon,\"A, B \"\"C\"\"\"");
    assert_eq!(text("price:100.. and not available:true"), "(price>=100 AND NOT available:true)");
    assert_eq!(text("attr.weight : 1.5..2"), "attr.weight:1.5..2");
    assert_eq!(text("brand:a OR brand:b AND available:true"), "(brand:a OR (brand:b AND available:true))");
    assert_eq!(text("(brand:a OR brand:b) AND available=true"), "((brand:a OR brand:b) AND available:true)");
    assert_eq!(text("\"attr.Screen size\">=15"), "\"attr.Screen size\">=15");
    assert_eq!(text("attr.hdmi:* AND brand!=HP"), "(attr.hdmi:* AND NOT brand:HP)");
    assert_eq!(text("price:..100,500.."), "(price<=100 OR price>=500)");
    assert_eq!(text("variant(attr.size:XL AND price.EUR<5000)"), "variant((attr.size:XL AND price.EUR<5000))");
}

#[test]
fn errors_point_at_the_character() {
    for (filter, expected, word) in [
        ("brand", 5, "`:` is expected"),
        ("brand:", 6, "a value"),
        ("brand:a,,b", 8, "a value"),
        ("brand:\"a", 8, "never closed"),
        ("brand:\"a\"b", 9, "AND or OR"),
        ("brand:Western Digital", 14, "double quotes"),
        ("colour:red", 0, "no field"),
        ("price:cheap", 6, "minor units"),
        ("available:true AND price:", 25, "a value"),
        ("available:maybe", 10, "neither"),
        ("(brand:a", 8, "never closed"),
        ("brand:a)", 7, "never opened"),
        ("brand:a AND", 11, "a condition"),
        ("brand>a", 6, "no order"),
        ("variant(brand:a)", 0, "not of a variant"),
        ("price:..", 8, "at least one bound"),
        ("", 0, "a condition"),
    ] {
        let (found, reason) = position(filter);
        assert_eq!(found, expected, "{filter}: {reason}");
        assert!(reason.contains(word), "{filter}: {reason}");
    }
    assert!(parse(&"(".repeat(40)).is_err());
    assert!(parse(&vec!["available:true"; 65].join(" OR ")).is_err());
}

#[test]
fn both_forms_mean_the_same() {
    let json = json!({"and": [
        {"field": "brand", "in": ["Canon", "HP"]},
        {"field": "price", "gte": 1000, "lte": 20000},
        {"not": {"field": "attr.color", "eq": "red"}},
        {"or": [{"field": "attr.hdmi", "exists": true}, {"variant": {"field": "attr.size", "eq": "XL"}}]},
    ]});
    let text = "brand:Canon,HP AND price:1000..20000 AND NOT attr.color:red AND (attr.hdmi:* OR variant(attr.size:XL))";
    assert_eq!(from_json(&json).expect("read"), parse(text).expect("read"));
}

#[test]
fn errors_in_json_have_a_pointer() {
    for (json, pointer) in [
        (json!({"and": [{"field": "colour", "eq": 1}]}), "/and/0/field"),
        (json!({"and": []}), "/and"),
        (json!({"xor": []}), "/xor"),
        (json!({"field": "brand"}), ""),
        (json!({"field": "price", "gte": "cheap"}), "/gte"),
        (json!({"field": "brand", "in": [[1]]}), "/in/0"),
        (json!({"variant": {"field": "brand", "eq": "a"}}), "/variant"),
        (json!(1), ""),
    ] {
        let error = from_json(&json).expect_err(&json.to_string());
        assert_eq!(error.pointer, pointer, "{json}: {error}");
    }
}

fn filters() -> impl Strategy<Value = Filter> {
    let field = prop_oneof![Just(Field::Brand), Just(Field::Sku), "[a-zA-Z \"]{1,8}".prop_map(Field::Attribute),];
    let is = (field, proptest::collection::vec("\\PC{0,8}", 1..4))
        .prop_map(|(field, values)| Filter::Is(field, Test::In(values)));
    let leaf = prop_oneof![
        is,
        (0..1000_i64, 0..1000_i64).prop_map(|(from, to)| {
            let limit = |value: i64| Some(Limit { value: value.to_string(), inclusive: true });
            Filter::Is(Field::Price(None), Test::Range { from: limit(from), to: limit(to) })
        }),
        Just(Filter::Is(Field::Available, Test::Exists)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::All),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Any),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(filter in filters()) {
        prop_assert_eq!(parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(brand|price|attr\\.a|available|variant|NOT |AND |OR |[():,.<>=!*\"]|\\PC){0,20}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.position <= text.chars().count());
        }
    }
}
