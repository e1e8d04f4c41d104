use super::*;
use proptest::prelude::*;
use schemas::events::catalog::AttributeValue;
use serde_json::json;

fn mapped(toml: &str, record: &serde_json::Value) -> Result<Mapped, String> {
    let mapping = Mapping::parse("test", toml).expect("a mapping");
    mapping.apply(record.as_object().expect("an object"))
}

fn refused(toml: &str) -> String {
    Mapping::parse("test", toml).expect_err("refused").to_string()
}

const BASE: &str = "id = 'id'\ntitle = 'title'\n";

#[test]
fn every_shipped_mapping_can_be_loaded() {
    for (name, _) in SHIPPED {
        Mapping::load(name).expect(name);
    }
    let error = Mapping::load("nowhere").expect_err("refused").to_string();
    assert!(error.contains("demo, electronics"), "{error}");
}

#[test]
fn an_electronics_record_becomes_a_product() {
    let record = json!({
        "id": "3920564", "name": "006R90321", "title": "Xerox 006R90321 toner", "ean": ["0095205603217"],
        "short_description": "Toner <b>6 per box</b>", "img_high": "http://x/high.jpg", "img_thumb": "http://x/thumb.jpg",
        "date_released": "2009-12-10T00:00:00Z", "supplier": "Xerox", "price": 4995,
        "attr_t_product_type": "Toner", "attr_t_type": "Original", "attr_n_quantity_per_pack": 6.0,
        "attr_b_recycled": false, "attr_n_type": 3
    });
    let mapping = Mapping::load("electronics").expect("shipped");
    let mapped = mapping.apply(record.as_object().expect("an object")).expect("mapped");
    let line = serde_json::to_value(&mapped.product).expect("JSON");
    let expected = json!({
        "external_id": "3920564", "part_number": "006R90321", "title": "Xerox 006R90321 toner", "brand": "Xerox",
        "description": "Toner <b>6 per box</b>", "product_type": "Toner", "released_at": "2009-12-10T00:00:00Z",
        "images": [{"url": "http://x/high.jpg"}], "publish": true,
        "variants": [{"sku": "3920564", "eans": ["0095205603217"]}],
        "attributes": {"quantity_per_pack": 6.0, "recycled": false, "type": 3.0, "type_text": "Original"}
    });
    assert_eq!(line, expected);
    let price = mapped.offers[0].prices.first().expect("a price");
    assert_eq!((price.list_amount, price.currency.code(), price.sale_amount), (4995, "USD", None));
    assert_eq!(mapped.offers[0].on_hand, Some(25));
}

#[test]
fn what_is_missing_or_wrong_is_named_with_its_field() {
    let rules = "id = 'id'\ntitle = ['title', 'name']\nreleased_at = 'when'\nstock = 'stock'\n\
                 price = { field = 'price', currency = 'USD' }\n[attributes]\n'n_*' = 'number'\n'b' = 'bool'";
    for (record, part) in [
        (json!({"title": "x"}), "no id: the field `id`"),
        (json!({"id": 1, "title": " "}), "no title: the field `title` or `name`"),
        (json!({"id": 1, "name": "x", "when": "soon"}), "`when` holds `soon`"),
        (json!({"id": 1, "name": "x", "price": "about 15"}), "not an amount of USD"),
        (json!({"id": 1, "name": "x", "price": -1}), "below zero"),
        (json!({"id": 1, "name": "x", "stock": 1.5}), "`stock` holds 1.5"),
        (json!({"id": 1, "name": "x", "n_a": "much"}), "`n_a` holds \"much\""),
        (json!({"id": 1, "name": "x", "b": "maybe"}), "`b` holds \"maybe\""),
        (json!({"id": ["a"], "name": "x"}), "`id` should hold one text"),
    ] {
        let reason = mapped(rules, &record).expect_err("refused");
        assert!(reason.contains(part), "{record}: {reason}");
    }
}

#[test]
fn values_written_as_text_are_read_as_what_they_are() {
    let rules = "id = 'id'\ntitle = 'title'\nstock = 'stock'\npublish = 'live'\n\
                 price = { field = 'price', sale = 'sale', currency_field = 'cur' }\n\
                 [attributes]\n'w' = 'number'\n'on' = 'bool'\n\
                 'tags' = { type = 'text', separator = ',' }\n'hue' = { type = 'text', name = 'colour' }";
    let record = json!({"id": "7", "title": "x", "stock": "12", "live": "yes", "price": "19.90", "sale": "17.5",
                        "cur": "EUR", "w": "2.5", "on": "0", "tags": "a, b,,c", "hue": "red"});
    let mapped = mapped(rules, &record).expect("mapped");
    let price = mapped.offers[0].prices.first().expect("a price");
    assert_eq!((price.list_amount, price.sale_amount, price.currency.code()), (1990, Some(1750), "EUR"));
    assert_eq!((mapped.offers[0].on_hand, mapped.product.publish), (Some(12), true));
    let attributes = serde_json::to_value(&mapped.product.attributes).expect("JSON");
    assert_eq!(attributes, json!({"w": 2.5, "on": false, "tags": ["a", "b", "c"], "colour": "red"}));
}

#[test]
fn tax_class_weight_and_edges_come_from_fields_with_units() {
    let rules = "id = 'id'\ntitle = 'title'\ntax_class = 'tax'\nweight = { field = 'w', unit = 'kg' }\nlength = 'l'\n\
                 height = { field = 'h', unit = 'in' }\n[variants]\nfield = 'v'\nsku = 'sku'\nweight = 'grams'";
    let record = json!({"id": 1, "title": "x", "tax": "Reduced rate", "w": 1.5, "l": "12 cm", "h": "tall",
                        "v": [{"sku": "a"}, {"sku": "b", "grams": 1600}]});
    let mapped = mapped(rules, &record).expect("mapped");
    let line = serde_json::to_value(&mapped.product).expect("JSON");
    let expected = json!({"external_id": "1", "title": "x", "tax_class": "reduced-rate", "weight_grams": 1500, "length_mm": 120,
                          "variants": [{"sku": "a"}, {"sku": "b", "weight_grams": 1600}], "publish": true});
    assert_eq!(line, expected);
    assert_eq!(mapped.repairs.as_slice().len(), 1, "the height is left out");
    assert!(refused(&format!("{BASE}weight = {{ field = 'w', unit = 'cm' }}")).contains("`weight`"));
}

#[test]
fn a_sale_price_like_the_list_price_is_none() {
    let rules = "id = 'id'\ntitle = 'title'\nprice = { list = 'p', sale = 's', currency = 'USD' }";
    let mapped = mapped(rules, &json!({"id": 1, "title": "x", "p": 5, "s": "5.00"})).expect("mapped");
    assert_eq!(mapped.offers[0].prices[0].sale_amount, None);
}

#[test]
fn variants_and_the_options_between_them_come_from_a_list() {
    let record = json!({"id": "t1", "title": "Tee", "variants": [
        {"sku": "t1-s", "options": {"size": "S", "colour": "red"}, "stock": 3, "list_price": 1999, "sale_price": 1499},
        {"sku": "t1-m", "options": {"size": "M", "colour": "red"}, "stock": 0, "list_price": 1999}
    ]});
    let mapping = Mapping::load("demo").expect("shipped");
    let mapped = mapping.apply(record.as_object().expect("an object")).expect("mapped");
    let options = serde_json::to_value(&mapped.product.options).expect("JSON");
    assert_eq!(options, json!([{"name": "colour", "values": ["red"]}, {"name": "size", "values": ["S", "M"]}]));
    assert_eq!(mapped.offers.iter().map(|offer| offer.on_hand).collect::<Vec<_>>(), [Some(3), Some(0)]);
    assert_eq!(mapped.offers[0].prices[0].sale_amount, Some(1499));

    let half = json!({"id": "t1", "title": "Tee", "variants": [{"sku": "a", "options": {"size": "S"}}, {"sku": "b"}]});
    let half = mapping.apply(half.as_object().expect("an object")).expect("mapped").product;
    assert_eq!((half.options.len(), half.variants[0].options.len(), half.variants[0].attributes.len()), (0, 0, 1));
    let nameless = json!({"id": "t1", "title": "Tee", "variants": [{"sku": "a"}, {}]});
    let nameless = mapping.apply(nameless.as_object().expect("an object")).expect("mapped").product;
    assert_eq!(nameless.variants[1].sku, "t1-2");
}

#[test]
fn category_paths_are_lists_or_texts_with_separators() {
    let rules = format!("{BASE}categories = {{ field = 'cat', separator = '/', list_separator = ';' }}");
    let ids = |record: serde_json::Value| {
        let mapped = mapped(&rules, &record).expect("mapped");
        mapped.categories.iter().map(|path| path.id().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(json!({"id": 1, "title": "x", "cat": "Home / Pans; Sale"})), ["home/pans", "sale"]);
    assert_eq!(ids(json!({"id": 1, "title": "x", "cat": ["A/B", "C"]})), ["a/b", "c"]);
    assert_eq!(ids(json!({"id": 1, "title": "x"})), Vec::<String>::new());
}

#[test]
fn fields_inside_objects_are_reached_by_dots_and_patterns() {
    let rules = "id = 'ref.id'\ntitle = 'title'\nbrand = 'maker.name'\n[attributes]\n'specs.*' = 'auto'";
    let record = json!({"ref": {"id": 9}, "title": "x", "maker": {"name": "Acme"}, "specs": {"w": 2, "tags": ["a", "b"], "no": null}});
    let product = mapped(rules, &record).expect("mapped").product;
    assert_eq!((product.external_id.as_str(), product.brand.as_deref()), ("9", Some("Acme")));
    assert_eq!(product.attributes["w"], AttributeValue::Number(2.0));
    assert_eq!(product.attributes["tags"], AttributeValue::Texts(vec!["a".into(), "b".into()]));
    assert_eq!(product.attributes.len(), 2);
}

#[test]
fn a_wrong_mapping_says_what_is_wrong() {
    assert!(refused("title = 't'").contains("`id`"));
    assert!(refused(&format!("{BASE}colour = 'x'")).contains("colour"));
    assert!(refused(&format!("{BASE}price = 'p'")).contains("needs a currency"));
    assert!(refused(&format!("{BASE}[stock]\nlocation = 'main'")).contains("needs a field"));
    assert!(refused(&format!("{BASE}[attributes]\n'a*b' = 'text'")).contains("at its end"));
    assert!(refused(&format!("{BASE}[attributes]\n'a_*' = 'words'")).contains("words"));
    assert!(refused("id = 7\ntitle = 't'").contains("field name"));
}

#[test]
fn another_currency_is_another_import() {
    let mut mapping = Mapping::load("electronics").expect("shipped");
    let before = mapping.digest.clone();
    mapping.set_currency("EUR".parse().expect("a code"));
    assert_ne!(mapping.digest, before);
    let record = json!({"id": 1, "title": "x", "price": 5});
    let mapped = mapping.apply(record.as_object().expect("an object")).expect("mapped");
    assert_eq!(mapped.offers[0].prices[0].currency.code(), "EUR");
}

/// What a field of a record may hold.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[0-9.,-]{0,12} ?(EUR|USD|\\$|in stock|yes)?".prop_map(Into::into),
        ".{0,40}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec(("(name|id|url|.{0,6})", inner), 0..4)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_record_is_mapped_or_refused(
        mapping in 0..SHIPPED.len(),
        fields in prop::collection::vec((
            "(id|g:id|ID|Handle|SKU|title|g:title|Title|Name|name|price|g:price|Variant Price|ean|stock|attr_n_a|attr_t_a|images|Tags|.{0,8})",
            value(),
        ), 0..12),
    ) {
        let mapping = Mapping::load(SHIPPED[mapping].0).expect("shipped");
        let record: serde_json::Map<String, serde_json::Value> = fields.into_iter().collect();
        if let Ok(mapped) = mapping.apply(&record) {
            prop_assert!(!mapped.product.external_id.is_empty());
        }
    }

    #[test]
    fn any_mapping_is_read_or_refused(
        text in "((id|title|price|attributes|group|variants|categories) ?= ?('[a-z*.]{0,6}'|\\[.{0,10}\\]|\\{.{0,20}\\}|.{0,10})\n|\\[[a-z.]{0,12}\\]\n|.{0,20}\n){0,8}",
    ) {
        let _ = Mapping::parse("any", &text);
    }
}
