//! What is done to a checkout, by its shopper and by its process.

pub(super) mod act;
