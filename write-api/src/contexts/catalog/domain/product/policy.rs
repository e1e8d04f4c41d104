//! The rules of products that need a look at others, one sentence each.

use super::{Content, Facts, Rejection};
use schemas::ids::ProductId;

/// Slug, external id and SKUs belong to nobody else.
///
/// # Errors
/// Which of them is taken, and by whom.
pub fn names_are_free(me: ProductId, content: &Content, facts: &Facts) -> Result<(), Rejection> {
    let other = |owner: Option<ProductId>| owner.filter(|owner| *owner != me);
    if let Some((id, owner)) = content.content().external_id.as_ref().zip(other(facts.external_id_owner)) {
        return Err(Rejection::ExternalIdTaken { external_id: id.clone(), owner });
    }
    if let Some((slug, owner)) = content.slug().zip(other(facts.slug_owner)) {
        return Err(Rejection::SlugTaken { slug: slug.to_owned(), owner });
    }
    if let Some((index, owner)) = facts.sku_owners.iter().find(|(_, owner)| *owner != me) {
        let sku = content.content().variants.get(*index).map_or_else(String::new, |variant| variant.sku.clone());
        return Err(Rejection::SkuTaken { index: *index, sku, owner: *owner });
    }
    Ok(())
}

/// A shop has so many attribute names at most.
///
/// # Errors
/// [`Rejection::TooManyAttributes`] with the first name that is new.
pub fn attribute_names_are_few(facts: &Facts) -> Result<(), Rejection> {
    let (used, most) = facts.attribute_names;
    match facts.new_attributes.first() {
        Some(name) if used.saturating_add(facts.new_attributes.len()) > most => {
            Err(Rejection::TooManyAttributes { name: name.clone(), new: facts.new_attributes.len(), used, most })
        }
        _ => Ok(()),
    }
}

/// Every category named is there.
///
/// # Errors
/// [`Rejection::UnknownCategory`] with the first that is not.
pub fn categories_exist(content: &Content, facts: &Facts) -> Result<(), Rejection> {
    let unknown = content.content().category_ids.iter().position(|id| facts.missing_categories.contains(id));
    unknown.map_or(Ok(()), |index| Err(Rejection::UnknownCategory { index }))
}
