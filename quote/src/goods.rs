//! The cart while promotions are taken off it.

use crate::{PriceError, allocation::allocated, facts::CartLine};
use schemas::{events::settings::STANDARD_TAX, ids::LineId, quote::PromotionShare};
use std::borrow::Cow;

impl CartLine {
    /// The class of goods that its taxes follow from.
    pub(crate) fn class(&self) -> &str {
        self.tax_class.as_deref().unwrap_or(STANDARD_TAX)
    }

    fn is_same_goods(&self, other: &Self) -> bool {
        self.variant_id == other.variant_id
            && self.product_id == other.product_id
            && self.class() == other.class()
            && self.brand == other.brand
            && self.category_ids == other.category_ids
            && self.attributes == other.attributes
    }
}

/// A line with what a piece costs and what is left of it.
#[derive(Debug, Clone)]
pub(crate) struct PricedLine<'a> {
    /// What is known of it.
    pub facts: Cow<'a, CartLine>,
    /// The promotion that it is a gift of.
    pub gift_of: Option<String>,
    /// What a piece costs that is not on sale.
    pub list_price: i128,
    /// What a piece costs.
    pub unit_price: i128,
    /// Before promotions: step 4.
    pub amount: i128,
    /// After the promotions so far.
    pub left: i128,
    /// What promotions took off so far.
    pub shares: Vec<PromotionShare>,
}

impl<'a> PricedLine<'a> {
    pub(crate) fn new(facts: Cow<'a, CartLine>, list_price: i128, unit_price: i128) -> Self {
        let amount = unit_price * i128::from(facts.quantity);
        Self { facts, gift_of: None, list_price, unit_price, amount, left: amount, shares: Vec::new() }
    }

    pub(crate) fn id(&self) -> LineId {
        self.facts.id
    }

    /// Takes off what a promotion gives; never more than is left.
    pub(crate) fn take(&mut self, promotion: &str, amount: i128) {
        self.left -= amount;
        // It is at most the line's amount, which fits.
        if let Some(amount) = i64::try_from(amount).ok().filter(|amount| *amount != 0) {
            self.shares.push(PromotionShare { promotion: promotion.to_owned(), amount });
        }
    }
}

/// Lines of the same goods. Promotions see them as one, so that nothing changes when a line is split.
#[derive(Debug, Clone)]
pub(crate) struct Goods {
    /// Where they stand among the lines; the first has the lowest id.
    pub lines: Vec<usize>,
    /// Pieces that a promotion of the kind "buy some, get some" has used.
    pub used: u64,
}

/// The lines of a cart, by their ids, with gifts behind them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Basket<'a> {
    /// The lines.
    pub lines: Vec<PricedLine<'a>>,
    /// The same without gifts, by what they are.
    pub goods: Vec<Goods>,
    /// The amounts of all lines together.
    amount: i128,
}

impl<'a> Basket<'a> {
    /// Adds a line, if the amounts of all still fit into 64 bits.
    pub(crate) fn add(&mut self, line: PricedLine<'a>) -> Result<(), PriceError> {
        let amount = self.amount + line.amount;
        i64::try_from(amount).map_err(|_| PriceError::Overflow { line: line.id() })?;
        self.amount = amount;
        self.lines.push(line);
        Ok(())
    }

    /// Finds the lines that are the same goods at the same price.
    pub(crate) fn join_same_goods(&mut self) {
        let mut joined: Vec<Goods> = Vec::new();
        for (place, line) in self.lines.iter().enumerate() {
            let is_same = |goods: &&mut Goods| {
                let first = &self.lines[goods.lines[0]];
                first.unit_price == line.unit_price && first.facts.is_same_goods(&line.facts)
            };
            match joined.iter_mut().find(is_same) {
                Some(goods) => goods.lines.push(place),
                None => joined.push(Goods { lines: vec![place], used: 0 }),
            }
        }
        self.goods = joined;
    }

    /// The line that stands for the goods at a place in the list.
    pub(crate) fn first(&self, goods: usize) -> &PricedLine<'a> {
        &self.lines[self.goods[goods].lines[0]]
    }

    /// What is left of goods.
    pub(crate) fn left(&self, goods: usize) -> i128 {
        self.goods[goods].lines.iter().map(|line| self.lines[*line].left).sum()
    }

    /// What is left of each of the goods.
    pub(crate) fn values(&self) -> Vec<i128> {
        (0..self.goods.len()).map(|goods| self.left(goods)).collect()
    }

    /// Pieces of goods.
    pub(crate) fn pieces(&self, goods: usize) -> u64 {
        self.goods[goods].lines.iter().map(|line| u64::from(self.lines[*line].facts.quantity)).sum()
    }

    /// Takes an amount off goods, divided over their lines.
    pub(crate) fn take(&mut self, goods: usize, promotion: &str, amount: i128) {
        let places = self.goods[goods].lines.clone();
        let left: Vec<i128> = places.iter().map(|line| self.lines[*line].left).collect();
        for (place, share) in places.into_iter().zip(allocated(amount, &left)) {
            self.lines[place].take(promotion, share);
        }
    }
}
