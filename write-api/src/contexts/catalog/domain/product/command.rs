//! What can be done to a product.

use super::Content;
use schemas::{
    Timestamp,
    events::catalog::Schedule,
    ids::{CategoryId, ProductId},
};
use std::collections::BTreeSet;

/// What was looked up for the content of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The product that has the slug now.
    pub slug_owner: Option<ProductId>,
    /// The product that has the external id now.
    pub external_id_owner: Option<ProductId>,
    /// SKUs that belong to a product now: place in the list of variants, and whose.
    pub sku_owners: Vec<(usize, ProductId)>,
    /// Categories named that are not there.
    pub missing_categories: Vec<CategoryId>,
    /// Names of its attributes that no product of the shop has had.
    pub new_attributes: BTreeSet<String>,
    /// How many attribute names the shop has, and how many it may have.
    pub attribute_names: (usize, usize),
}

/// A command to one product.
#[derive(Debug, Clone, PartialEq)]
pub enum ProductCommand {
    /// Write it down, as a draft.
    Create {
        /// The id it gets.
        id: ProductId,
        /// What is known of it.
        content: Content,
        /// What was looked up.
        facts: Facts,
    },
    /// Replace its content.
    Change {
        /// The whole new content.
        content: Content,
        /// What was looked up.
        facts: Facts,
    },
    /// Show it to shoppers.
    Publish,
    /// Hide it from shoppers.
    Archive,
    /// Have it published and archived by itself, in place of what was said before.
    Schedule(Schedule),
    /// Do what is due by then.
    CarryOut(Timestamp),
    /// Forget it.
    Delete,
}
