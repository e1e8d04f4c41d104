//! Groups of shipment: which lines are sent together, and from where. All of it is read off the names that lines and charges have.

use super::Quote;
use crate::ids::LineId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The group of goods that are not divided among locations.
pub const GROUP: &str = "main";
/// What the name of a group begins with that is sent from one of several locations. A location may be called `main`, too.
const FROM: &str = "from-";

/// The name of the group that is sent from one of several locations.
#[must_use]
pub fn group_from(location: &str) -> String {
    format!("{FROM}{location}")
}

/// The location that a group is sent from, if goods were divided among several.
#[must_use]
pub fn location_of(group: &str) -> Option<&str> {
    group.strip_prefix(FROM)
}

/// Lines that are sent together, with what that costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuoteGroup {
    /// Its name, which its lines and its shipping have.
    pub name: String,
    /// The location that it is sent from, by its name; null where goods are not divided among several.
    pub location: Option<String>,
    /// The method of shipping, by its name; null if there is none that sends it.
    pub method: Option<String>,
    /// How the shopper reads the method.
    pub title: Option<String>,
    /// What shipping costs after promotions, in the tax mode of the quote; null if there is no method that sends it.
    pub shipping: Option<i64>,
    /// The ids of its lines.
    pub lines: Vec<LineId>,
}

impl Quote {
    /// The groups of shipment, by their names.
    #[must_use]
    pub fn groups(&self) -> Vec<QuoteGroup> {
        let mut names: Vec<&str> = self.lines.iter().map(|line| line.group.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let group = |name: &str| {
            let charge = self.shipping.iter().find(|charge| charge.group == name);
            let lines = self.lines.iter().filter(|line| line.group == name);
            QuoteGroup {
                name: name.to_owned(),
                location: location_of(name).map(str::to_owned),
                method: charge.map(|charge| charge.method.clone()),
                title: charge.map(|charge| charge.title.clone()),
                shipping: charge.map(|charge| charge.amount - charge.discount),
                lines: lines.map(|line| line.id).collect(),
            }
        };
        names.into_iter().map(group).collect()
    }
}
