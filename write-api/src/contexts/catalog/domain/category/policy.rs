//! The rules of the category tree, one sentence each.

use super::{Content, Facts, Rejection};
use schemas::ids::CategoryId;

/// The most levels of the tree.
pub const MAX_DEPTH: usize = 12;

/// A category stands below one that is there, never below itself, and not too deep.
///
/// # Errors
/// Which of these it breaks.
pub fn a_parent_is_there_and_not_below(me: CategoryId, content: &Content, facts: &Facts) -> Result<(), Rejection> {
    if content.content().parent_id.is_none() {
        return Ok(());
    }
    if content.content().parent_id == Some(me) || facts.ancestors.contains(&me) {
        return Err(Rejection::BelowItself);
    }
    if !facts.parent_exists {
        return Err(Rejection::UnknownParent);
    }
    if facts.ancestors.len() + 1 + facts.levels_below > MAX_DEPTH {
        return Err(Rejection::TooDeep(MAX_DEPTH));
    }
    Ok(())
}

/// Slug and external id belong to nobody else.
///
/// # Errors
/// Which of them is taken, and by whom.
pub fn names_are_free(me: CategoryId, content: &Content, facts: &Facts) -> Result<(), Rejection> {
    let other = |owner: Option<CategoryId>| owner.filter(|owner| *owner != me);
    if let Some((id, owner)) = content.content().external_id.as_ref().zip(other(facts.external_id_owner)) {
        return Err(Rejection::ExternalIdTaken { external_id: id.clone(), owner });
    }
    if let Some((slug, owner)) = content.slug().zip(other(facts.slug_owner)) {
        return Err(Rejection::SlugTaken { slug: slug.to_owned(), owner });
    }
    Ok(())
}
