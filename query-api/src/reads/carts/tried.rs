//! A cart priced twice: as it stands, and as if a promotion counted already that nobody has put.

use super::{
    asked::StoredCart,
    facts::facts,
    known::{Known, gifts},
};
use crate::promotions::{Applicable, Exhausted, ForCart, Promotion, Used};
use quote::{PriceError, Quote, price};
use schemas::{
    Uuid,
    events::promotions::PromotionContent,
    ids::{PromotionId, VariantId},
};
use std::{collections::BTreeSet, sync::Arc};

/// The code that every cart is taken to have, where the draft needs one. No shopper can type it: codes are in capitals.
const CODE: &str = "preview";

/// A promotion that is not there yet, or not like that.
#[derive(Debug, Clone)]
pub(in crate::reads) struct Draft(Applicable);

/// What a cart costs without and with the draft.
#[derive(Debug, Clone)]
pub(in crate::reads) struct Tried {
    pub(in crate::reads) before: Quote,
    pub(in crate::reads) after: Quote,
}

impl Draft {
    /// A promotion as it would be put under a name.
    pub(in crate::reads) fn new(name: String, content: PromotionContent) -> Self {
        let code = content.needs_code.then(|| CODE.to_owned());
        let promotion = Arc::new(Promotion { id: PromotionId(Uuid::nil()), version: 0, name, content });
        Self(Applicable { promotion, code, used: Used::default(), exhausted: Exhausted::default() })
    }

    /// What it is called.
    pub(in crate::reads) fn name(&self) -> &str {
        &self.0.promotion.name
    }

    /// Whether every cart is taken to have a code of it.
    pub(in crate::reads) fn assumes_code(&self) -> bool {
        self.0.code.is_some()
    }

    /// The variants that it may add to a cart.
    pub(in crate::reads) fn gifts(&self) -> BTreeSet<VariantId> {
        gifts([&self.0])
    }

    /// What may count once it is there, in the place of the one of the same name.
    fn among(&self, found: &ForCart) -> ForCart {
        let mut found = found.clone();
        found.applicable.retain(|one| one.promotion.name != self.name());
        found.applicable.push(self.0.clone());
        found
    }
}

impl Tried {
    /// Prices a cart twice, as its owner would see it.
    pub(in crate::reads) fn of(stored: &StoredCart, known: &Known, draft: &Draft) -> Result<Self, PriceError> {
        let before = price(&facts(&stored.cart, known))?;
        let with_draft = Known { promotions: draft.among(&known.promotions), ..known.clone() };
        Ok(Self { before, after: price(&facts(&stored.cart, &with_draft))? })
    }
}

#[cfg(test)]
mod tests;
