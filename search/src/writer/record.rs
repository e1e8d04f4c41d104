//! A search document as a tantivy record, and back to the versions that are known.

use crate::{
    IndexError,
    analyzer::{self, composed},
    bundle::SearchedFields,
    collation, columns,
    document::{SearchDocument, SearchProduct},
    query::HitCard,
    schema::{Fields, attribute_path, attribute_value},
    text,
    writer::variants,
};
use schemas::{
    events::catalog::AttributeValue,
    ids::{ProductId, TenantId},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tantivy::{Index, TantivyDocument, schema::OwnedValue};

/// The key of a document.
pub fn key(tenant: TenantId, product: ProductId) -> String {
    format!("{tenant}:{product}")
}

/// Every known key with its version and, in the lowest bit, whether it is live; and the live count.
///
/// A key that stands twice means that the index is not what its commits say.
pub fn versions(index: &Index, generation: &str) -> Result<(HashMap<String, u64>, u64), IndexError> {
    let searcher = index.reader_builder().reload_policy(tantivy::ReloadPolicy::Manual).try_into()?.searcher();
    let (mut versions, mut live) = (HashMap::new(), 0);
    for segment in searcher.segment_readers() {
        let fast = segment.fast_fields();
        let (Some(keys), known) = (fast.str("key")?, fast.u64("version")?.first_or_default_col(0)) else { continue };
        // Only live documents have a place in the order.
        let ties = fast.u64("tie")?;
        let mut names = columns::texts(keys.dictionary())?;
        versions.reserve(names.len());
        for doc in segment.doc_ids_alive() {
            let Some(ord) = keys.term_ords(doc).next() else { continue };
            let Some(key) = usize::try_from(ord).ok().and_then(|ord| names.get_mut(ord)).map(std::mem::take) else {
                continue;
            };
            let is_live = ties.first(doc).is_some();
            live += u64::from(is_live);
            // A name that was taken before is empty: the key stands twice in this segment.
            if key.is_empty() || versions.contains_key(&key) {
                let reason = format!("it holds {} twice", if key.is_empty() { "a key" } else { &key });
                return Err(IndexError::Damaged { generation: generation.to_owned(), reason });
            }
            versions.insert(key, known.get_val(doc) << 1 | u64::from(is_live));
        }
    }
    Ok((versions, live))
}

/// The record of a document.
pub fn to_tantivy(
    fields: &Fields,
    searched: SearchedFields,
    key: &str,
    document: &SearchDocument,
) -> Result<TantivyDocument, IndexError> {
    let mut record = TantivyDocument::default();
    record.add_text(fields.key, key);
    record.add_u64(fields.version, document.doc_version);
    let Some(product) = &document.product else { return Ok(record) };
    record.add_text(fields.tenant, document.tenant_id.to_string());
    record.add_u64(fields.tie, tie(document.product_id));
    add_text(fields, searched, &mut record, product);
    add_categories(fields, &mut record, product);
    let attributes = if searched.attributes { attributes(product) } else { BTreeMap::new() };
    attributes.keys().for_each(|name| record.add_text(fields.names, name));
    record.add_object(fields.attr, attributes);
    let prices =
        product.prices.iter().map(|(currency, span)| (currency.to_string(), OwnedValue::I64(span.min))).collect();
    record.add_object(fields.price, prices);
    record.add_bool(fields.available, product.available);
    if let Some(released) = product.released_at {
        record.add_i64(fields.released, released.timestamp_micros());
    }
    record.add_bytes(fields.variants, &variants::encode(product)?);
    let card = HitCard::new(document.product_id, product);
    record.add_text(fields.card, serde_json::to_string(&card).map_err(std::io::Error::from)?);
    Ok(record)
}

/// Each category and each above it once, however many of its categories a product has below one.
fn add_categories(fields: &Fields, record: &mut TantivyDocument, product: &SearchProduct) {
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for category in &product.categories {
        names.extend(category.path_ids.iter().map(ToString::to_string));
        names.extend(category.path_slugs.iter().cloned());
        paths.extend((1..=category.path_slugs.len()).map(|depth| category.path_slugs[..depth].join("/")));
    }
    names.iter().for_each(|name| record.add_text(fields.category, name));
    paths.iter().for_each(|path| record.add_text(fields.category_path, path));
}

fn add_text(fields: &Fields, searched: SearchedFields, record: &mut TantivyDocument, product: &SearchProduct) {
    if searched.title {
        record.add_text(fields.text, &product.title);
        record.add_text(fields.title, &product.title);
    }
    if let Some(part_number) = product.part_number.as_ref().filter(|_| searched.part_number) {
        record.add_text(fields.text, part_number);
    }
    if let Some(brand) = &product.brand {
        if searched.brand {
            record.add_text(fields.text, brand);
        }
        record.add_text(fields.brand, composed(brand));
    }
    if let Some(description) = product.description.as_ref().filter(|_| searched.description) {
        let text = text::without_html(description);
        record.add_text(fields.text, &text);
        record.add_text(fields.description, text);
    }
    if let Some(product_type) = &product.product_type {
        record.add_text(fields.title, product_type);
        record.add_text(fields.product_type, composed(product_type));
    }
    let title = searched.title.then_some(&product.title);
    let brand = product.brand.as_ref().filter(|_| searched.brand);
    [title, brand, product.product_type.as_ref()]
        .into_iter()
        .flatten()
        .for_each(|text| record.add_text(fields.words, text));
    if searched.codes {
        codes(product).iter().for_each(|code| record.add_text(fields.code, code));
    }
    product.variants.iter().for_each(|variant| record.add_text(fields.sku, composed(&variant.sku)));
    record.add_bytes(fields.title_sort, &collation::key(&product.title));
}

fn codes(product: &SearchProduct) -> BTreeSet<String> {
    let of_variants = product.variants.iter().flat_map(|variant| std::iter::once(&variant.sku).chain(&variant.eans));
    let mut codes: BTreeSet<String> =
        of_variants.chain(&product.part_number).filter_map(|written| analyzer::code(written)).collect();
    let eans = product.variants.iter().flat_map(|variant| &variant.eans);
    codes.extend(eans.filter_map(|ean| analyzer::gtin(ean)));
    // Model numbers stand in titles too: `WH-1000XM4`, `EOS 1000D`.
    codes.extend(analyzer::codes(&product.title).into_iter().filter(|run| run.words <= 2).map(|run| run.code));
    codes
}

/// Product attributes, and the options and attributes of every variant beside them.
fn attributes(product: &SearchProduct) -> BTreeMap<String, OwnedValue> {
    let mut values: BTreeMap<String, Vec<OwnedValue>> = BTreeMap::new();
    let variants = product.variants.iter().flat_map(|variant| &variant.attributes);
    for (name, value) in product.attributes.iter().chain(variants) {
        add_unique(values.entry(attribute_path(name)).or_default(), owned(value));
    }
    for (name, value) in product.variants.iter().flat_map(|variant| &variant.options) {
        add_unique(values.entry(attribute_path(name)).or_default(), vec![text_value(value)]);
    }
    values.into_iter().map(|(name, values)| (name, OwnedValue::Array(values))).collect()
}

/// Values that stand more than once are kept once.
fn add_unique(known: &mut Vec<OwnedValue>, new: Vec<OwnedValue>) {
    for value in new {
        if !known.contains(&value) {
            known.push(value);
        }
    }
}

fn owned(value: &AttributeValue) -> Vec<OwnedValue> {
    match value {
        AttributeValue::Bool(value) => vec![OwnedValue::Bool(*value)],
        AttributeValue::Number(value) => vec![OwnedValue::F64(*value)],
        AttributeValue::Text(value) => vec![text_value(value)],
        AttributeValue::Texts(values) => values.iter().map(|value| text_value(value)).collect(),
    }
}

fn text_value(value: &str) -> OwnedValue {
    OwnedValue::Str(attribute_value(value).into_owned())
}

/// A number that follows from the product alone, so that equal hits stand in one order on every node: the
/// older product first. Its id begins with the millisecond of its creation (RFC 9562, version 7) and has a
/// counter further down.
fn tie(product: ProductId) -> u64 {
    let (high, low) = product.uuid().as_u64_pair();
    (high >> 16) << 16 | (low >> 32) & 0xffff
}
