//! Products with their variants, and the category tree.

pub mod category;
pub mod product;
