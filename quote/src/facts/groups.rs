//! Which lines are sent together: step 2 of a quote.

use super::{
    Facts, ShipmentGroup,
    locations::{Levels, locations},
};
use schemas::{
    ids::VariantId,
    quote::{GROUP, group_from},
    settings::ShopSettings,
};
use std::collections::BTreeMap;

/// The names of the locations that goods are sent from, in the order in which they are taken from.
pub(super) fn senders(settings: &ShopSettings) -> Vec<&str> {
    let mut senders: Vec<_> = settings.locations.iter().filter(|location| location.content.ships).collect();
    senders.sort_by_key(|location| (location.content.position, &location.name));
    senders.into_iter().map(|location| location.name.as_str()).collect()
}

/// Whether a shop sends goods from several locations, so that what lies where has to be looked up.
#[must_use]
pub fn has_a_choice(settings: &ShopSettings) -> bool {
    senders(settings).len() > 1
}

impl Facts {
    /// Divides lines and gifts among the locations that send goods, into a group for each, with the method that was chosen for
    /// all. They stay one group in a shop with one such location or none, and where none of the goods lies at any of them.
    ///
    /// All pieces of a variant are in one group. Goods that lie at no such location go along with the first group.
    #[must_use]
    pub fn divided(mut self, settings: &ShopSettings, levels: &Levels) -> Self {
        let order = senders(settings);
        if order.len() < 2 {
            return self;
        }
        let mut wanted: BTreeMap<VariantId, i64> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.is_available) {
            *wanted.entry(line.variant_id).or_default() += i64::from(line.quantity);
        }
        let found = locations(&wanted, levels, &order);
        let used: Vec<&str> =
            order.into_iter().filter(|location| found.values().any(|other| other == location)).collect();
        let Some(first) = used.first().copied() else { return self };
        for line in &mut self.lines {
            line.group = group_from(found.get(&line.variant_id).copied().unwrap_or(first));
        }
        for (variant, gift) in &mut self.gifts {
            // How many there will be is not known yet: where most of them lie.
            let of_gift = locations(&BTreeMap::from([(*variant, i64::MAX)]), levels, &used);
            gift.group = Some(group_from(of_gift.get(variant).copied().unwrap_or(first)));
        }
        let method = self.groups.remove(GROUP).and_then(|group| group.method);
        self.groups.extend(used.into_iter().map(|location| {
            let group = ShipmentGroup { location: Some(location.to_owned()), method: method.clone() };
            (group_from(location), group)
        }));
        self
    }
}
