//! What each surface says of one variant, and who says otherwise.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Where somebody is told whether a variant can be had. The first that knows something is who the others are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Surface {
    /// What a checkout goes by, in the write database.
    Checkout,
    /// The counters by place, as shoppers see them.
    Stock,
    /// The product page.
    Page,
    /// Searches, and listings, which are searches.
    Search,
    /// What a cart goes by.
    Cart,
}

impl Surface {
    /// Those that can say otherwise than the write side.
    pub const SHOWN: [Self; 4] = [Self::Stock, Self::Page, Self::Search, Self::Cart];

    /// As in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Stock => "stock",
            Self::Page => "page",
            Self::Search => "search",
            Self::Cart => "cart",
        }
    }
}

/// What one surface says of a variant; none for what it does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// Whether its product is for sale.
    pub published: Option<bool>,
    /// Whether a piece can be sold.
    pub in_stock: Option<bool>,
    /// Whether it can be ordered, pieces that may be promised included.
    pub orderable: Option<bool>,
}

impl Said {
    const fn facts(self) -> [Option<bool>; 3] {
        [self.published, self.in_stock, self.orderable]
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WORDS: [[&str; 2]; 3] =
            [["not for sale", "for sale"], ["sold out", "in stock"], ["can't be ordered", "can be ordered"]];
        let told = self.facts().into_iter().zip(WORDS).filter_map(|(fact, words)| Some(words[usize::from(fact?)]));
        f.write_str(&told.collect::<Vec<_>>().join(", "))
    }
}

/// The versions of what it follows from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Versions {
    /// Of the product.
    pub catalog: i64,
    /// Of the stock item.
    pub stock: i64,
}

/// What all surfaces said of a variant at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// By surface.
    pub said: BTreeMap<Surface, Said>,
    /// The versions before they were asked.
    pub before: Versions,
    /// The versions afterwards.
    pub after: Versions,
}

impl Look {
    /// Whether nothing was written while they were asked.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        self.before == self.after
    }

    /// Those that say something else than the first that knows it.
    #[must_use]
    pub fn otherwise(&self) -> BTreeSet<Surface> {
        let mut found = BTreeSet::new();
        for fact in 0..3 {
            let told = || self.said.iter().filter_map(|(surface, said)| Some((*surface, said.facts()[fact]?)));
            if let Some((_, first)) = told().next() {
                found.extend(told().filter(|(_, other)| *other != first).map(|(surface, _)| surface));
            }
        }
        found
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.said.iter().map(|(surface, said)| format!("{}: {said}", surface.name()));
        f.write_str(&told.collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(said: &[(Surface, Said)]) -> Look {
        Look { said: said.iter().copied().collect(), ..Look::default() }
    }

    fn told(published: Option<bool>, in_stock: Option<bool>, orderable: Option<bool>) -> Said {
        Said { published, in_stock, orderable }
    }

    #[test]
    fn only_what_two_of_them_tell_is_compared() {
        let checkout = (Surface::Checkout, told(Some(true), Some(false), Some(true)));
        let agreed = [
            checkout,
            (Surface::Stock, told(None, Some(false), None)),
            (Surface::Page, told(Some(true), Some(false), None)),
            (Surface::Search, told(Some(true), None, None)),
            (Surface::Cart, told(None, None, Some(true))),
        ];
        assert!(look(&agreed).otherwise().is_empty());
        let differing =
            look(&[checkout, (Surface::Stock, told(None, Some(true), None)), (Surface::Cart, Said::default())]);
        assert_eq!(differing.otherwise(), [Surface::Stock].into());
        assert_eq!(differing.to_string(), "checkout: for sale, sold out, can be ordered; stock: in stock; cart: ");
    }

    #[test]
    fn without_the_write_side_the_counters_are_believed() {
        let shown = [
            (Surface::Stock, told(None, Some(true), None)),
            (Surface::Page, told(Some(true), Some(false), None)),
            (Surface::Search, told(Some(false), None, None)),
        ];
        assert_eq!(look(&shown).otherwise(), [Surface::Page, Surface::Search].into());
    }
}
