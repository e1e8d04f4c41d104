//! The fields of the tantivy index.

use crate::analyzer::{ENGLISH, PLAIN};
use std::borrow::Cow;
use tantivy::schema::{
    BytesOptions, FAST, Field, INDEXED, IndexRecordOption, JsonObjectOptions, STORED, STRING, Schema,
    TextFieldIndexing, TextOptions,
};

/// Handles of all fields.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// `tenant:product`; the only indexed field of a removed document besides its version.
    pub key: Field,
    /// Document version, fast.
    pub version: Field,
    /// Tenant id; absent on removed documents, so that no query ever meets them.
    pub tenant: Field,
    /// Last resort of every sort order, so that equal hits stand in the same order everywhere.
    pub tie: Field,
    /// Title, part number, brand and description, analysed, flat: the field BM25 runs on. SKUs and EANs are
    /// not in it: they would only make every text longer.
    pub text: Field,
    /// Part numbers, SKUs and EANs, each as one term without signs; see [`crate::analyzer::code`].
    pub code: Field,
    /// Title and product type alone, analysed, for a boost.
    pub title: Field,
    /// The words of title, brand and product type as people read them, for suggestions.
    pub words: Field,
    /// The title's [collation key](crate::collation::key), for sorting.
    pub title_sort: Field,
    /// Brand as written.
    pub brand: Field,
    /// Ids and slugs of every category above the product.
    pub category: Field,
    /// The slugs from the root of every category above the product, `computers/laptops`, for facets.
    pub category_path: Field,
    /// The kind of thing, as written.
    pub product_type: Field,
    /// SKUs of the variants, as written.
    pub sku: Field,
    /// Typed attributes by name.
    pub attr: Field,
    /// The names of the attributes a product has: products of one kind have the same.
    pub names: Field,
    /// Lowest amount per currency, in minor units.
    pub price: Field,
    /// Whether any variant has stock.
    pub available: Field,
    /// When it came to market, in microseconds of Unix time: the engine's own dates end in 2262.
    pub released: Field,
    /// The variants as JSON, for conditions on one variant; see [`crate::writer`].
    pub variants: Field,
    /// The description without HTML, for snippets.
    pub description: Field,
    /// The hit as JSON.
    pub card: Field,
}

/// The schema and its fields.
#[must_use]
pub fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let english = || {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(ENGLISH)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        )
    };
    let json = || {
        JsonObjectOptions::default().set_fast("raw").set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(IndexRecordOption::Basic),
        )
    };
    let fields = Fields {
        key: builder.add_text_field("key", STRING | FAST),
        version: builder.add_u64_field("version", FAST),
        tenant: builder.add_text_field("tenant", STRING),
        tie: builder.add_u64_field("tie", FAST),
        text: builder.add_text_field("text", english()),
        code: builder.add_text_field("code", STRING),
        title: builder.add_text_field("title", english()),
        words: builder.add_text_field(
            "words",
            TextOptions::default().set_indexing_options(
                TextFieldIndexing::default()
                    .set_tokenizer(PLAIN)
                    .set_fieldnorms(false)
                    .set_index_option(IndexRecordOption::Basic),
            ),
        ),
        title_sort: builder.add_bytes_field("title_sort", BytesOptions::default().set_fast()),
        brand: builder.add_text_field("brand", STRING | FAST),
        category: builder.add_text_field("category", STRING | FAST),
        category_path: builder.add_text_field("category_path", STRING | FAST),
        product_type: builder.add_text_field("product_type", STRING | FAST),
        sku: builder.add_text_field("sku", STRING),
        attr: builder.add_json_field("attr", json()),
        names: builder.add_text_field("names", STRING | FAST),
        price: builder.add_json_field("price", json()),
        available: builder.add_bool_field("available", INDEXED | FAST),
        released: builder.add_i64_field("released", INDEXED | FAST),
        variants: builder.add_bytes_field("variants", BytesOptions::default().set_fast()),
        description: builder.add_text_field("description", STORED),
        card: builder.add_text_field("card", STORED),
    };
    (builder.build(), fields)
}

/// An attribute's name as a step of a JSON path: dots would be read as nesting.
#[must_use]
pub fn attribute_path(name: &str) -> String {
    crate::analyzer::composed(name).replace('.', "_")
}

/// Characters by which values of attributes are told apart. Each value is a term in each segment that has it, and terms of
/// several thousand characters make up nearly all of the work of indexing a product.
pub const TOLD_APART_BY: usize = 256;

/// A text value of an attribute as the index knows it, and so filters and facets: composed, and cut after
/// [`TOLD_APART_BY`] characters. The card shows it whole.
#[must_use]
pub fn attribute_value(text: &str) -> Cow<'_, str> {
    let composed = crate::analyzer::composed(text);
    let Some((end, _)) = composed.char_indices().nth(TOLD_APART_BY) else { return composed };
    match composed {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}
