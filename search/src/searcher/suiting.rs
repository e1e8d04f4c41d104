//! The facets that suit a search.

use super::{SearchError, Searcher};
use crate::{
    lexical,
    query::{Facet, FacetOrder, SearchRequest},
    reader::Snapshot,
};
use schemas::{
    events::merchandising::{self, FacetSetting},
    filter::Field,
};

/// Attributes that are counted unless staff say which.
const ATTRIBUTE_FACETS: usize = 6;
/// Values of a facet that is counted without being asked for by name.
const FACET_VALUES: u32 = 12;

impl Searcher {
    /// Those that staff display, or else brand, category, price, stock, kind, and the attributes that most hits have
    /// and shoppers choose from.
    pub(super) async fn suiting(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
        display: &[FacetSetting],
    ) -> Result<Vec<Facet>, SearchError> {
        let shown: Vec<Facet> = display.iter().filter(|setting| !setting.hidden).filter_map(displayed).collect();
        if !shown.is_empty() {
            return Ok(shown);
        }
        let attributes =
            |snapshot: &Snapshot, request: &SearchRequest| lexical::attributes_of(snapshot, request, ATTRIBUTE_FACETS);
        let attributes = self.step(snapshot, request.clone(), attributes).await?;
        let fixed = [Field::Category, Field::Brand, Field::Price(None), Field::Available, Field::ProductType];
        let fields = fixed.into_iter().chain(attributes.into_iter().map(Field::Attribute));
        Ok(fields.map(|field| Facet::new(field, FACET_VALUES)).collect())
    }
}

fn displayed(setting: &FacetSetting) -> Option<Facet> {
    let order = match setting.order {
        merchandising::FacetOrder::Count => FacetOrder::Count,
        merchandising::FacetOrder::Value => FacetOrder::Value,
        merchandising::FacetOrder::Listed => FacetOrder::Listed(setting.listed_values.clone()),
    };
    let facet = Facet::new(Field::parse(&setting.field)?, setting.limit.unwrap_or(FACET_VALUES));
    Some(Facet { order, ..facet })
}
