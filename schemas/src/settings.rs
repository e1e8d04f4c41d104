//! What a shop has decided, as a whole: what prices a cart and shows a shop reads.

use crate::{
    events::settings::{Channel, Location, SettingKind, ShippingMethod, ShippingPrice, ShopPolicy, TaxZone},
    money::Currency,
    place::{self, Place},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The name of what holds for a whole shop.
pub const POLICY: &str = "shop";

/// A setting under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting<C> {
    /// The name.
    pub name: String,
    /// Its version; 0 for what nobody has decided.
    pub version: u64,
    /// What was decided.
    pub content: C,
}

/// Everything that a shop has decided. What is listed stands in the order of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSettings {
    /// What holds for the whole shop; [`ShopPolicy::default`] until it is decided.
    pub policy: Setting<ShopPolicy>,
    /// Where which taxes are due.
    pub tax_zones: Vec<Setting<TaxZone>>,
    /// How goods reach shoppers.
    pub shipping_methods: Vec<Setting<ShippingMethod>>,
    /// Where goods are kept.
    pub locations: Vec<Setting<Location>>,
    /// Where the shop sells.
    pub channels: Vec<Setting<Channel>>,
}

impl Default for ShopSettings {
    fn default() -> Self {
        Self {
            policy: Setting { name: POLICY.to_owned(), version: 0, content: ShopPolicy::default() },
            tax_zones: Vec::new(),
            shipping_methods: Vec::new(),
            locations: Vec::new(),
            channels: Vec::new(),
        }
    }
}

fn read<C: DeserializeOwned>(name: &str, version: u64, json: &str) -> serde_json::Result<Setting<C>> {
    Ok(Setting { name: name.to_owned(), version, content: serde_json::from_str(json)? })
}

impl ShopSettings {
    /// Takes in a setting as it is stored; they come in the order of names.
    ///
    /// # Errors
    /// If the content is no JSON of its kind.
    pub fn take(&mut self, kind: SettingKind, name: &str, version: u64, json: &str) -> serde_json::Result<()> {
        match kind {
            SettingKind::TaxZone => self.tax_zones.push(read(name, version, json)?),
            SettingKind::ShippingMethod => self.shipping_methods.push(read(name, version, json)?),
            SettingKind::Location => self.locations.push(read(name, version, json)?),
            SettingKind::Channel => self.channels.push(read(name, version, json)?),
            SettingKind::ShopPolicy => self.policy = read(name, version, json)?,
        }
        Ok(())
    }

    /// The tax zone of a place: the one with the closest area. None where no tax is due.
    #[must_use]
    pub fn tax_zone(&self, place: &Place) -> Option<&Setting<TaxZone>> {
        let fit = |zone: &&Setting<TaxZone>| place::closest(&zone.content.areas, place);
        // Two zones never have the same area, so no two of them fit equally close.
        self.tax_zones.iter().filter(|zone| fit(zone).is_some()).max_by_key(fit)
    }

    /// The shipping methods that reach a place and are offered in a currency, in the order they are shown.
    #[must_use]
    pub fn shipping(&self, place: &Place, currency: Currency) -> Vec<(&Setting<ShippingMethod>, &ShippingPrice)> {
        let mut offered = Vec::new();
        for method in &self.shipping_methods {
            let price = method.content.prices.iter().find(|price| price.currency == currency);
            if place::closest(&method.content.areas, place).is_some() {
                offered.extend(price.map(|price| (method, price)));
            }
        }
        let place_of = |method: &Setting<ShippingMethod>| (method.content.position, method.name.clone());
        offered.sort_by_cached_key(|(method, _)| place_of(method));
        offered
    }

    /// The channel of a name; without one, the first.
    #[must_use]
    pub fn channel(&self, name: Option<&str>) -> Option<&Setting<Channel>> {
        match name {
            Some(name) => self.channels.iter().find(|channel| channel.name == name),
            None => self.channels.first(),
        }
    }

    /// The currencies of all channels, each once: those of the first channel first. None if the shop has no channel; it then
    /// sells in whatever currency a price is stated.
    #[must_use]
    pub fn currencies(&self) -> Vec<Currency> {
        let mut all = Vec::new();
        for currency in self.channels.iter().flat_map(|channel| &channel.content.currencies) {
            if !all.contains(currency) {
                all.push(*currency);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(settings: &[(SettingKind, &str, &str)]) -> ShopSettings {
        let mut all = ShopSettings::default();
        for (kind, name, json) in settings {
            all.take(*kind, name, 3, json).expect("read");
        }
        all
    }

    const EVERYWHERE: &str = r#"{"areas": [{}], "mode": "inclusive", "rates": []}"#;
    const GERMANY: &str = r#"{"areas": [{"country": "AT"}, {"country": "DE"}], "mode": "inclusive", "rates": []}"#;
    const HELGOLAND: &str =
        r#"{"areas": [{"country": "DE", "postal_prefix": "27498"}], "mode": "exclusive", "rates": []}"#;

    #[test]
    fn a_shop_that_has_decided_nothing_has_no_tax_and_ships_nowhere() {
        let none = ShopSettings::default();
        let place = Place::typed("US", None, None);
        assert_eq!((none.tax_zone(&place), none.shipping(&place, Currency::USD).len()), (None, 0));
        assert_eq!((none.policy.version, none.currencies().len(), none.channel(None)), (0, 0, None));
    }

    #[test]
    fn the_zone_with_the_closest_area_is_the_one_of_a_place() {
        let kind = SettingKind::TaxZone;
        let all = taken(&[(kind, "germany", GERMANY), (kind, "helgoland", HELGOLAND), (kind, "world", EVERYWHERE)]);
        let of = |country: &str, code: Option<&str>| {
            all.tax_zone(&Place::typed(country, None, code)).map(|zone| zone.name.as_str())
        };
        assert_eq!(of("DE", Some("27498")), Some("helgoland"));
        assert_eq!(
            (of("DE", Some("10115")), of("AT", None), of("JP", None)),
            (Some("germany"), Some("germany"), Some("world"))
        );
    }

    #[test]
    fn methods_are_offered_where_they_reach_and_in_currencies_they_are_priced_in() {
        let kind = SettingKind::ShippingMethod;
        let method = |country: &str, currency: &str, position: i32| {
            format!(
                r#"{{"title": "t", "areas": [{{"country": "{country}"}}], "position": {position},
                    "prices": [{{"currency": "{currency}", "tiers": [{{"amount": 5}}]}}]}}"#
            )
        };
        let (slow, fast, away) = (method("US", "USD", 2), method("US", "USD", 1), method("DE", "USD", 0));
        let euro = method("US", "EUR", 0);
        let all = taken(&[(kind, "away", &away), (kind, "euro", &euro), (kind, "fast", &fast), (kind, "slow", &slow)]);
        let offered = all.shipping(&Place::typed("US", None, None), Currency::USD);
        let names: Vec<_> =
            offered.iter().map(|(method, price)| (method.name.as_str(), price.tiers[0].amount)).collect();
        assert_eq!(names, [("fast", 5), ("slow", 5)]);
    }

    #[test]
    fn a_content_of_another_kind_is_refused() {
        let mut all = ShopSettings::default();
        assert!(all.take(SettingKind::Channel, "x", 1, EVERYWHERE).is_err());
        assert_eq!(all, ShopSettings::default());
    }

    #[test]
    fn currencies_are_those_of_the_channels_each_once() {
        let kind = SettingKind::Channel;
        let app = r#"{"title": "App", "currencies": ["EUR", "USD"]}"#;
        let web = r#"{"title": "Web", "currencies": ["USD", "JPY"]}"#;
        let all = taken(&[(kind, "app", app), (kind, "web", web)]);
        let codes: Vec<String> = all.currencies().iter().map(ToString::to_string).collect();
        assert_eq!(codes, ["EUR", "USD", "JPY"]);
        assert_eq!(all.channel(Some("web")).map(|channel| channel.version), Some(3));
        assert_eq!((all.channel(None).map(|one| one.name.as_str()), all.channel(Some("x"))), (Some("app"), None));
    }
}
