//! The facts that follow from a cart and the settings of its shop, the same for whoever prices it.

use super::{Facts, ShipmentGroup, Versioned, groups::senders};
use schemas::{
    Timestamp,
    cart::Cart,
    quote::GROUP,
    settings::{Setting, ShopSettings},
};
use std::collections::BTreeMap;

impl Facts {
    /// The facts of a cart, all of whose goods are sent together, from the first location that sends any, until they are
    /// [divided](Self::divided). Who buys, how it will be paid, lines, gifts, promotions and codes are still missing.
    #[must_use]
    pub fn of_cart(cart: &Cart, settings: &ShopSettings, now: Timestamp) -> Self {
        let location = senders(settings).first().map(|name| (*name).to_owned());
        let group = ShipmentGroup { location, method: cart.shipping_method.clone() };
        Self {
            now,
            currency: cart.currency,
            channel: cart.channel.clone(),
            policy: versioned(&settings.policy),
            shipping: cart.place.clone(),
            billing: None,
            customer: None,
            payment: None,
            codes: BTreeMap::new(),
            lines: Vec::new(),
            groups: BTreeMap::from([(GROUP.to_owned(), group)]),
            tax_zones: by_name(&settings.tax_zones),
            shipping_methods: by_name(&settings.shipping_methods),
            promotions: BTreeMap::new(),
            gifts: BTreeMap::new(),
        }
    }
}

fn versioned<C: Clone>(setting: &Setting<C>) -> Versioned<C> {
    Versioned { version: setting.version, value: setting.content.clone() }
}

fn by_name<C: Clone>(settings: &[Setting<C>]) -> BTreeMap<String, Versioned<C>> {
    settings.iter().map(|setting| (setting.name.clone(), versioned(setting))).collect()
}
