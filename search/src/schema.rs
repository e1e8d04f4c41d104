//! The fields of the tantivy index.

use crate::analyzer::ENGLISH;
use tantivy::schema::{
    DateOptions, FAST, Field, INDEXED, IndexRecordOption, JsonObjectOptions, STORED, STRING, Schema, TextFieldIndexing,
    TextOptions,
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
    /// Title in lower case, for sorting.
    pub title_sort: Field,
    /// Brand as written.
    pub brand: Field,
    /// Ids and slugs of every category above the product.
    pub category: Field,
    /// Typed attributes by name.
    pub attr: Field,
    /// Lowest amount per currency, in minor units.
    pub price: Field,
    /// Whether any variant has stock.
    pub available: Field,
    /// When it came to market.
    pub released: Field,
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
        title_sort: builder.add_text_field("title_sort", TextOptions::default().set_fast("raw")),
        brand: builder.add_text_field("brand", STRING | FAST),
        category: builder.add_text_field("category", STRING | FAST),
        attr: builder.add_json_field("attr", json()),
        price: builder.add_json_field("price", json()),
        available: builder.add_bool_field("available", INDEXED | FAST),
        released: builder.add_date_field("released", DateOptions::default().set_fast()),
        card: builder.add_text_field("card", STORED),
    };
    (builder.build(), fields)
}

/// An attribute's name as a step of a JSON path: dots would be read as nesting.
#[must_use]
pub fn attribute_path(name: &str) -> String {
    name.replace('.', "_")
}
