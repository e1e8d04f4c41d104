//! Filters, facets, grouping of variants and paging against a brute-force oracle, on random catalogs.
#![expect(clippy::expect_used, reason = "a test")]

use proptest::prelude::*;
use schemas::{
    Timestamp, Uuid,
    events::catalog::AttributeValue,
    filter::{Field, Filter, Limit, Test},
    ids::{CategoryId, ProductId, TenantId, VariantId},
    money::Currency,
};
use search::{
    document::{DocumentCategory, DocumentVariant, PriceSpan, SearchDocument, SearchProduct, VariantPrice},
    generation::{self, Manifest},
    lexical,
    offsets::Offsets,
    query::{Facet, FacetValue},
    query::{SearchRequest, Sort},
    reader::{IndexHandle, Snapshot},
    writer::IndexWriter,
};
use std::collections::{BTreeMap, BTreeSet};

const SHOP: TenantId = TenantId(Uuid::from_u128(1));
const OTHER_SHOP: TenantId = TenantId(Uuid::from_u128(2));
const BRANDS: [&str; 3] = ["Acme", "Bolt", "C & D/E"];
const COLORS: [&str; 3] = ["red", "dark blue", "green"];
const SIZES: [&str; 3] = ["S", "M", "XL"];
const CATEGORIES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn attribute(color: Option<usize>, weight: Option<u8>) -> BTreeMap<String, AttributeValue> {
    let color = color.map(|color| ("color".to_owned(), AttributeValue::Text(COLORS[color].to_owned())));
    let weight = weight.map(|weight| ("weight".to_owned(), AttributeValue::Number(f64::from(weight))));
    color.into_iter().chain(weight).collect()
}

prop_compose! {
    fn variant()(
        color in proptest::option::of(0..3_usize), size in proptest::option::of(0..3_usize),
        weight in proptest::option::of(0..5_u8), price in proptest::option::of(1..9_i64), stock in 0..2_i64,
    ) -> DocumentVariant {
        let price = price.map(|amount| (Currency::USD, VariantPrice { amount, list_amount: amount }));
        DocumentVariant {
            id: VariantId(Uuid::nil()),
            sku: String::new(),
            eans: Vec::new(),
            options: size.map(|size| ("size".to_owned(), SIZES[size].to_owned())).into_iter().collect(),
            attributes: attribute(color, weight),
            prices: price.into_iter().collect(),
            on_hand: stock,
            availability: None,
        }
    }
}

prop_compose! {
    fn product()(
        brand in proptest::option::of(0..3_usize),
        color in proptest::option::of(0..3_usize), weight in proptest::option::of(0..5_u8),
        variants in proptest::collection::vec(variant(), 1..4),
    ) -> SearchProduct {
        let amounts = variants.iter().filter_map(|variant| variant.prices.get(&Currency::USD)).map(|price| price.amount);
        let (min, max) = (amounts.clone().min(), amounts.max());
        let span = min.zip(max).map(|(min, max)| (Currency::USD, PriceSpan { min, max, list: min }));
        SearchProduct {
            title: "thing".to_owned(),
            brand: brand.map(|brand| BRANDS[brand].to_owned()),
            attributes: attribute(color, weight),
            available: variants.iter().any(|variant| variant.on_hand > 0),
            prices: span.into_iter().collect(),
            variants,
            ..SearchProduct::default()
        }
    }
}

/// A category as documents have it: with all above it. Each may stand below one that comes before it.
fn category(above: &[Option<usize>], number: usize) -> DocumentCategory {
    let mut path: Vec<usize> = std::iter::successors(Some(number), |number| above[*number]).collect();
    path.reverse();
    let slugs: Vec<String> = path.iter().map(|number| CATEGORIES[*number].to_owned()).collect();
    DocumentCategory {
        path_ids: path.iter().map(|number| CategoryId(Uuid::from_u128(*number as u128))).collect(),
        path_names: slugs.clone(),
        path_slugs: slugs,
    }
}

/// Products, each in some categories of one random tree.
fn catalog() -> impl Strategy<Value = Vec<SearchProduct>> {
    let above: Vec<_> = (0..CATEGORIES.len())
        .map(|number| {
            proptest::option::of(0..number.max(1)).prop_map(move |above| above.filter(|above| *above < number))
        })
        .collect();
    let own = proptest::sample::subsequence((0..CATEGORIES.len()).collect::<Vec<_>>(), 0..4);
    (above, proptest::collection::vec((product(), own), 1..25)).prop_map(|(above, products)| {
        let mut products: Vec<SearchProduct> = products
            .into_iter()
            .map(|(product, own)| SearchProduct {
                categories: own.into_iter().map(|number| category(&above, number)).collect(),
                ..product
            })
            .collect();
        for (number, product) in products.iter_mut().enumerate() {
            for (index, variant) in product.variants.iter_mut().enumerate() {
                variant.sku = format!("sku-{number}-{index}");
                variant.id = VariantId(Uuid::from_u128((number * 100 + index) as u128));
            }
        }
        products
    })
}

fn values(of: &[&str]) -> impl Strategy<Value = Test> {
    let of: Vec<String> = of.iter().map(|value| (*value).to_owned()).collect();
    prop_oneof![4 => proptest::sample::subsequence(of, 1..3).prop_map(Test::In), 1 => Just(Test::Exists)]
}

fn range(most: i64) -> impl Strategy<Value = Test> {
    let limit = move || {
        proptest::option::of(
            (0..=most, any::<bool>()).prop_map(|(value, inclusive)| Limit { value: value.to_string(), inclusive }),
        )
    };
    (limit(), limit()).prop_map(|(from, to)| match (&from, &to) {
        (None, None) => Test::Exists,
        _ => Test::Range { from, to },
    })
}

fn of_variant() -> impl Strategy<Value = Filter> {
    prop_oneof![
        values(&COLORS).prop_map(|test| Filter::Is(Field::Attribute("color".into()), test)),
        values(&SIZES).prop_map(|test| Filter::Is(Field::Attribute("size".into()), test)),
        range(5).prop_map(|test| Filter::Is(Field::Attribute("weight".into()), test)),
        values(&["0", "1", "2", "4"]).prop_map(|test| Filter::Is(Field::Attribute("weight".into()), test)),
        range(9).prop_map(|test| Filter::Is(Field::Price(None), test)),
        values(&["true", "false"]).prop_map(|test| Filter::Is(Field::Available, test)),
    ]
}

fn combined(leaf: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Filter::All),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Filter::Any),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

fn filters() -> impl Strategy<Value = Filter> {
    combined(prop_oneof![
        values(&BRANDS).prop_map(|test| Filter::Is(Field::Brand, test)),
        values(&CATEGORIES).prop_map(|test| Filter::Is(Field::Category, test)),
        of_variant(),
        combined(of_variant()).prop_map(|part| Filter::Variant(Box::new(part))),
    ])
}

/// The plain meaning of a test, over the values something has.
fn passes(test: &Test, values: &[String]) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    match test {
        Test::Exists => !values.is_empty(),
        Test::In(wanted) => values.iter().any(|value| wanted.contains(value)),
        Test::Range { from, to } => values.iter().filter_map(|value| number(value)).any(|value| {
            let bound = |limit: &Limit| number(&limit.value).expect("a number");
            from.as_ref().is_none_or(|from| value > bound(from) || (from.inclusive && value == bound(from)))
                && to.as_ref().is_none_or(|to| value < bound(to) || (to.inclusive && value == bound(to)))
        }),
    }
}

fn texts(value: Option<&AttributeValue>) -> Vec<String> {
    match value {
        Some(AttributeValue::Text(text)) => vec![text.clone()],
        Some(AttributeValue::Number(number)) => vec![number.to_string()],
        _ => Vec::new(),
    }
}

fn own(variant: &DocumentVariant, name: &str) -> Vec<String> {
    let option = variant.options.get(name).cloned();
    option.into_iter().chain(texts(variant.attributes.get(name))).collect()
}

fn product_values(product: &SearchProduct, field: &Field) -> Vec<String> {
    match field {
        Field::Brand => product.brand.iter().cloned().collect(),
        Field::Category => product.categories.iter().flat_map(|category| category.path_slugs.clone()).collect(),
        Field::Price(_) => product.prices.values().map(|span| span.min.to_string()).collect(),
        Field::Available => vec![product.available.to_string()],
        Field::Attribute(name) => {
            let variants = product.variants.iter().flat_map(|variant| own(variant, name));
            texts(product.attributes.get(name)).into_iter().chain(variants).collect()
        }
        _ => Vec::new(),
    }
}

fn variant_values(product: &SearchProduct, variant: &DocumentVariant, field: &Field) -> Vec<String> {
    match field {
        Field::Price(_) => variant.prices.values().map(|price| price.amount.to_string()).collect(),
        Field::Available => vec![(variant.on_hand > 0).to_string()],
        Field::Attribute(name) if product.variants.iter().any(|variant| !own(variant, name).is_empty()) => {
            own(variant, name)
        }
        Field::Attribute(name) => texts(product.attributes.get(name)),
        _ => Vec::new(),
    }
}

fn variant_holds(product: &SearchProduct, variant: &DocumentVariant, filter: &Filter) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| variant_holds(product, variant, part)),
        Filter::Any(parts) => parts.iter().any(|part| variant_holds(product, variant, part)),
        Filter::Not(part) => !variant_holds(product, variant, part),
        Filter::Variant(part) => variant_holds(product, variant, part),
        Filter::Is(field, test) => passes(test, &variant_values(product, variant, field)),
    }
}

fn holds(product: &SearchProduct, filter: &Filter) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| holds(product, part)),
        Filter::Any(parts) => parts.iter().any(|part| holds(product, part)),
        Filter::Not(part) => !holds(product, part),
        Filter::Variant(part) => product.variants.iter().any(|variant| variant_holds(product, variant, part)),
        Filter::Is(field, test) => passes(test, &product_values(product, field)),
    }
}

struct Index {
    handle: IndexHandle,
    _folder: tempfile::TempDir,
}

fn id(number: usize) -> ProductId {
    ProductId(Uuid::from_u128(1_000 + number as u128))
}

/// The catalog in one shop, and the same in another that must never be seen.
fn index(products: &[SearchProduct]) -> Index {
    let folder = tempfile::tempdir().expect("a folder");
    generation::create(folder.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let mut writer = IndexWriter::open(folder.path(), "g1").expect("opened");
    for (number, product) in products.iter().enumerate() {
        for (tenant_id, product_id) in [(SHOP, id(number)), (OTHER_SHOP, id(number + 500))] {
            let document = SearchDocument { tenant_id, product_id, doc_version: 1, product: Some(product.clone()) };
            writer.upsert(&document).expect("written");
        }
        // More than one segment, too.
        if number == products.len() / 2 {
            writer.commit(Offsets::new()).expect("committed");
        }
    }
    writer.commit(Offsets::new()).expect("committed");
    Index { handle: IndexHandle::open(folder.path(), "g1").expect("opened"), _folder: folder }
}

fn found(snapshot: &Snapshot, request: &SearchRequest) -> BTreeSet<ProductId> {
    let mut all = BTreeSet::new();
    for offset in (0..).step_by(4) {
        let page = lexical::search(snapshot, &SearchRequest { offset, limit: 4, ..request.clone() }).expect("found");
        for hit in &page.hits {
            assert!(all.insert(hit.card.id), "a product stands on two pages");
        }
        if page.hits.len() < 4 {
            assert_eq!(all.len(), page.total);
            return all;
        }
    }
    all
}

fn flat(values: &[FacetValue]) -> Vec<&FacetValue> {
    values.iter().flat_map(|value| std::iter::once(value).chain(flat(&value.children))).collect()
}

/// The filter with a value of a field chosen or no longer chosen.
fn toggled(conditions: &[Filter], field: &Field, value: &str) -> Vec<Filter> {
    let mut all = Vec::new();
    let mut chosen = Vec::new();
    for condition in conditions {
        match condition {
            Filter::Is(on, Test::In(values)) if on == field => chosen.clone_from(values),
            other => all.push(other.clone()),
        }
    }
    if !chosen.contains(&value.to_owned()) {
        chosen.push(value.to_owned());
    } else {
        chosen.retain(|known| known != value);
    }
    if !chosen.is_empty() {
        all.push(Filter::Is(field.clone(), Test::In(chosen)));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn filters_find_what_the_oracle_finds(products in catalog(), filters in proptest::collection::vec(filters(), 6)) {
        let index = index(&products);
        let snapshot = index.handle.snapshot();
        for filter in filters {
            let expected: BTreeSet<ProductId> =
                products.iter().enumerate().filter(|(_, product)| holds(product, &filter)).map(|(number, _)| id(number)).collect();
            let request = SearchRequest { filter: Some(filter.clone()), ..SearchRequest::text(SHOP, "", 4) };
            for sort in [Sort::Relevance, Sort::PriceAscending(Currency::USD), Sort::Attribute("weight".to_owned())] {
                let request = SearchRequest { sort, ..request.clone() };
                prop_assert_eq!(&found(&snapshot, &request), &expected, "{}", &filter);
            }
        }
    }

    #[test]
    fn what_is_chosen_is_among_a_facets_values_however_rare_it_is(products in catalog(), brand in 0..3_usize) {
        let chosen = Filter::Is(Field::Brand, Test::In(vec![BRANDS[brand].to_owned()]));
        let index = index(&products);
        let facets = vec![Facet::new(Field::Brand, 1)];
        let request = SearchRequest { filter: Some(chosen.clone()), facets, ..SearchRequest::text(SHOP, "", 10) };
        let answer = lexical::search(&index.handle.snapshot(), &request).expect("found");
        let count = products.iter().filter(|product| holds(product, &chosen)).count() as u64;
        let of_brand = answer.facets[0].values.iter().find(|value| value.selected);
        prop_assert_eq!(of_brand.map_or(0, |value| value.count), count, "{:?}", answer.facets);
    }

    #[test]
    fn the_others_of_a_facet_are_products(products in catalog(), limit in 1..3_u32) {
        let index = index(&products);
        let fields = [Field::Attribute("color".to_owned()), Field::Attribute("size".to_owned())];
        let facets = fields.iter().map(|field| Facet::new(field.clone(), limit)).collect();
        let request = SearchRequest { facets, ..SearchRequest::text(SHOP, "", 10) };
        let answer = lexical::search(&index.handle.snapshot(), &request).expect("found");
        for (field, facet) in fields.iter().zip(&answer.facets) {
            let shown: Vec<&str> = facet.values.iter().filter_map(|value| value.value.as_str()).collect();
            let beyond = |product: &&SearchProduct| product_values(product, field).iter().any(|value| !shown.contains(&value.as_str()));
            prop_assert_eq!(facet.others, products.iter().filter(beyond).count() as u64, "{}", field);
        }
    }

    #[test]
    fn the_matching_variants_are_shown(products in catalog(), part in combined(of_variant())) {
        let index = index(&products);
        let filter = Some(Filter::Variant(Box::new(part.clone())));
        let request = SearchRequest { filter, ..SearchRequest::text(SHOP, "", 100) };
        for hit in lexical::search(&index.handle.snapshot(), &request).expect("found").hits {
            let product = &products[(hit.card.id.uuid().as_u128() - 1_000) as usize];
            let expected: Vec<VariantId> =
                product.variants.iter().filter(|variant| variant_holds(product, variant, &part)).map(|variant| variant.id).collect();
            prop_assert_eq!(hit.matching_variants, expected);
        }
    }

    #[test]
    fn numbers_amount_to_what_the_oracle_adds_up(
        products in catalog(), price in proptest::option::of(range(9)), cut in 0..9_u8,
    ) {
        let filter = price.map(|test| Filter::Is(Field::Price(None), test));
        let ranges = [(None, Some(f64::from(cut))), (Some(f64::from(cut)), None)];
        let fields = [Field::Attribute("weight".to_owned()), Field::Price(None)];
        let facets = fields.iter().map(|field| Facet { ranges: ranges.to_vec(), ..Facet::new(field.clone(), 50) });
        let request = SearchRequest { filter: filter.clone(), facets: facets.collect(), ..SearchRequest::text(SHOP, "", 10) };
        let index = index(&products);
        let answer = lexical::search(&index.handle.snapshot(), &request).expect("found");
        for (field, facet) in fields.iter().zip(&answer.facets) {
            // A field that is filtered is counted as if it were not.
            let counts = |product: &&SearchProduct| {
                matches!(field, Field::Price(_)) || filter.as_ref().is_none_or(|filter| holds(product, filter))
            };
            let of = |product: &SearchProduct| product_values(product, field).into_iter().collect::<BTreeSet<_>>();
            let number = |text: &String| text.parse::<f64>().expect("a number");
            let of_products: Vec<BTreeSet<String>> =
                products.iter().filter(counts).map(of).filter(|values| !values.is_empty()).collect();
            let numbers: Vec<f64> = of_products.iter().flatten().map(number).collect();
            let Some(stats) = facet.stats else {
                prop_assert_eq!((numbers.len(), facet.ranges.len()), (0, 0), "{}", field);
                continue;
            };
            let (least, greatest) = numbers.iter().fold((f64::MAX, f64::MIN), |(a, b), n| (a.min(*n), b.max(*n)));
            prop_assert_eq!((stats.min, stats.max, stats.count), (least, greatest, of_products.len() as u64), "{}", field);
            prop_assert!((stats.avg - numbers.iter().sum::<f64>() / numbers.len() as f64).abs() < 1e-9, "{}", field);
            let having = |below: bool| {
                let any = |values: &&BTreeSet<String>| values.iter().any(|text| (number(text) < f64::from(cut)) == below);
                of_products.iter().filter(any).count() as u64
            };
            let counted: Vec<u64> = facet.ranges.iter().map(|range| range.count).collect();
            prop_assert_eq!(counted, [having(true), having(false)], "{}", field);
        }
    }

    #[test]
    fn facets_count_what_the_oracle_counts(
        products in catalog(),
        brands in proptest::option::of(values(&BRANDS)),
        colors in proptest::option::of(values(&COLORS)),
        category in proptest::option::of(values(&CATEGORIES)),
        price in proptest::option::of(range(9)),
    ) {
        let color = Field::Attribute("color".to_owned());
        let fields = [(Field::Brand, brands), (color.clone(), colors), (Field::Category, category), (Field::Price(None), price)];
        let conditions: Vec<Filter> = fields.into_iter().filter_map(|(field, test)| Some(Filter::Is(field, test?))).collect();
        let index = index(&products);
        let facets = [Field::Brand, color, Field::Category, Field::Available, Field::Attribute("weight".to_owned())];
        let request = SearchRequest {
            filter: (!conditions.is_empty()).then(|| Filter::All(conditions.clone())),
            facets: facets.iter().map(|field| Facet::new(field.clone(), 50)).collect(),
            ..SearchRequest::text(SHOP, "", 10)
        };
        let answer = lexical::search(&index.handle.snapshot(), &request).expect("found");
        let count = |conditions: &[Filter], value: Option<(&Field, &str)>| {
            let has = |product: &&SearchProduct| value.is_none_or(|(field, value)| product_values(product, field).contains(&value.to_owned()));
            let all = |product: &&SearchProduct| conditions.iter().all(|condition| holds(product, condition));
            products.iter().filter(all).filter(has).count() as u64
        };
        prop_assert_eq!(answer.total as u64, count(&conditions, None));
        for (field, facet) in facets.iter().zip(&answer.facets) {
            let others: Vec<Filter> =
                conditions.iter().filter(|condition| !matches!(condition, Filter::Is(on, _) if on == field)).cloned().collect();
            let own_is_values = conditions.iter().all(|condition| !matches!(condition, Filter::Is(on, Test::Exists) if on == field));
            // A field that is filtered by values is counted as if it were not.
            let base = if own_is_values { &others } else { &conditions };
            let all: BTreeSet<String> = products.iter().flat_map(|product| product_values(product, field)).collect();
            let shown = flat(&facet.values);
            for value in &all {
                let expected = count(base, Some((field, value)));
                let counted = shown.iter().find(|shown| shown.value.as_str().map_or_else(|| shown.value.to_string(), str::to_owned) == *value);
                prop_assert_eq!(counted.map_or(0, |counted| counted.count), expected, "{} {}", field, value);
                if let Some(counted) = counted.filter(|_| own_is_values) {
                    let after = count(&toggled(&conditions, field, value), None);
                    prop_assert_eq!(counted.total_if_toggled, after, "{} {} toggled", field, value);
                }
            }
        }
    }
}
