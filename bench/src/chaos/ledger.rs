//! What write-api has acknowledged: the facts that have to be there in the end.

use schemas::{Uuid, topics::Context};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// One acknowledged command.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The context.
    pub context: Context,
    /// The aggregate.
    pub aggregate: Uuid,
    /// Its version after the command.
    pub version: u64,
    /// A text that the event has and no other event of the aggregate; empty where there is none.
    pub mark: String,
}

/// What readers may ask of a product, and have to see at least.
#[derive(Debug, Clone)]
pub struct Shown {
    /// A word of its title that no other product has.
    pub word: String,
    /// The revision of its title.
    pub title: u64,
    /// The token of that revision.
    pub title_token: String,
    /// Its price in cents, and the token of that price.
    pub price: Option<(u64, String)>,
}

/// The facts of one run.
#[derive(Debug, Default)]
pub struct Ledger {
    facts: Mutex<Vec<Fact>>,
    shown: Mutex<BTreeMap<Uuid, Shown>>,
}

impl Ledger {
    /// Records an acknowledged command.
    pub fn record(&self, fact: Fact) {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).push(fact);
    }

    /// Records what is to be seen of a product.
    pub fn show(&self, product: Uuid, shown: Shown) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).insert(product, shown);
    }

    /// All facts.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is to be seen of each product.
    #[must_use]
    pub fn shown(&self) -> BTreeMap<Uuid, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is to be seen of one product; another with each number.
    #[must_use]
    pub fn any(&self, number: usize) -> Option<(Uuid, Shown)> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let place = number.checked_rem(shown.len())?;
        shown.iter().nth(place).map(|(id, shown)| (*id, shown.clone()))
    }
}
