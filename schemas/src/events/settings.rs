//! What a shop decides of tax, shipping, places and deadlines.

use crate::{
    events::EncodeError,
    money::{Currency, Money},
    place::{Area, Place},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::ToSchema;

/// The class of goods that name none.
pub const STANDARD_TAX: &str = "standard";

/// Whether tax is part of a price or comes on top.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    /// Prices include it.
    #[default]
    Inclusive,
    /// It is added to them.
    Exclusive,
}

/// One tax on one class of goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// The class of goods it is on, such as `standard` or `reduced`. Several taxes on one class add up.
    pub class: String,
    /// Who gets it, such as `DE` or `US-CA`.
    pub jurisdiction: String,
    /// How the shopper reads it, such as `VAT 19 %`.
    pub title: String,
    /// Parts per million: 190,000 are 19 %. From 0 to 1,000,000.
    pub rate_ppm: u32,
}

/// Where which taxes are due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxZone {
    /// The places; of all zones the one with the closest area counts. Two zones never have the same area.
    pub areas: Vec<Area>,
    /// Whether what shoppers pay there is shown with tax.
    pub mode: TaxMode,
    /// The taxes; a class without any is free of tax there.
    pub rates: Vec<TaxRate>,
    /// The class that shipping is of; `standard`, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_class: Option<String>,
}

/// What shipping costs from some value or weight on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingTier {
    /// From that value of the goods on, after discounts, in minor units.
    #[serde(default)]
    pub from_value: i64,
    /// From that weight on, in grams.
    #[serde(default)]
    pub from_grams: i64,
    /// What it costs, in minor units.
    pub amount: i64,
}

/// What shipping costs in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingPrice {
    /// ISO 4217 code.
    pub currency: Currency,
    /// The last tier whose value and weight are both reached counts; the first begins at nothing.
    pub tiers: Vec<ShippingTier>,
}

/// A way in which goods reach the shopper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingMethod {
    /// How the shopper reads it.
    pub title: String,
    /// The places it reaches.
    pub areas: Vec<Area>,
    /// What it costs; it is offered in no other currency.
    pub prices: Vec<ShippingPrice>,
    /// The least days until it arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_least: Option<u32>,
    /// The most days until it arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_most: Option<u32>,
    /// The most that it carries, in grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_grams: Option<i64>,
    /// Whether the shopper fetches the goods at a location.
    #[serde(default)]
    pub is_pickup: bool,
    /// The order in which they are shown, low first.
    #[serde(default)]
    pub position: i32,
}

/// A place where goods are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// How people read it.
    pub title: String,
    /// Where it is.
    pub place: Place,
    /// Whether goods are sent from there.
    pub ships: bool,
    /// Goods are taken from the location with the lowest first.
    #[serde(default)]
    pub position: i32,
}

/// Where a shop sells: its site, an app, a market place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// How people read it.
    pub title: String,
    /// The currencies that are sold in; the first is meant where none is named.
    pub currencies: Vec<Currency>,
}

/// What a gross price means for somebody in another tax zone than the shop's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForeignPrices {
    /// They pay the same sum.
    #[default]
    GrossFixed,
    /// The tax of the shop's zone is taken out and theirs put in.
    NetFixed,
}

/// What becomes of a payment that succeeds after its checkout was given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LatePayments {
    /// The money goes back.
    #[default]
    Refund,
    /// The order goes on at the frozen price if the goods can still be had; otherwise the money goes back.
    GoOn,
}

/// How a shopper pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// By card, through a provider.
    Card,
    /// By a transfer that staff confirm.
    Transfer,
    /// In cash to the carrier.
    CashOnDelivery,
}

/// How long a method of payment may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentTerms {
    /// The method.
    pub method: PaymentMethod,
    /// Minutes until the checkout is given up.
    pub deadline_minutes: u32,
}

/// To what sums are rounded where the smallest coins are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CashRounding {
    /// ISO 4217 code.
    pub currency: Currency,
    /// Minor units that a sum in cash is a multiple of, such as 5.
    pub to: i64,
}

/// What holds for a whole shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopPolicy {
    /// Where the shop is: the place of tax where no address is known yet.
    pub home: Place,
    /// IANA name of the zone in which days begin and end, such as `Asia/Kolkata`.
    pub time_zone: String,
    /// Whether the prices of its price sheets include tax.
    pub prices: TaxMode,
    /// What they mean in other zones.
    #[serde(default)]
    pub foreign_prices: ForeignPrices,
    /// The methods of payment, in the order they are shown.
    pub payments: Vec<PaymentTerms>,
    /// How often a shopper may try to pay for one checkout, from 1 to 20.
    pub payment_attempts: u32,
    /// What becomes of late payments.
    #[serde(default)]
    pub late_payments: LatePayments,
    /// Days after which a cart that nobody touched is gone, from 1 to 365.
    pub cart_days: u32,
    /// What order numbers begin with.
    #[serde(default)]
    pub order_prefix: String,
    /// Rounding of cash, by currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cash_rounding: Vec<CashRounding>,
    /// What may be ordered at least, after discounts; none for a currency without a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub least_order: Vec<Money>,
}

impl Default for ShopPolicy {
    /// What holds in a shop that has decided nothing: it is in the United States and counts days in UTC. Prices include what
    /// tax there is, so that nobody pays more than a price says. Shoppers pay by card within half an hour or by transfer within
    /// three days.
    fn default() -> Self {
        let within = |method, deadline_minutes| PaymentTerms { method, deadline_minutes };
        Self {
            home: Place { country: "US".to_owned(), region: None, postal_code: None },
            time_zone: "UTC".to_owned(),
            prices: TaxMode::Inclusive,
            foreign_prices: ForeignPrices::GrossFixed,
            payments: vec![within(PaymentMethod::Card, 30), within(PaymentMethod::Transfer, 4_320)],
            payment_attempts: 5,
            late_payments: LatePayments::Refund,
            cart_days: 30,
            order_prefix: String::new(),
            cash_rounding: Vec::new(),
            least_order: Vec::new(),
        }
    }
}

/// A tax zone was defined or replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaxZoneDefined {
    /// Its name, unique among its kind.
    pub name: String,
    /// The whole new state.
    pub content: TaxZone,
}

/// A tax zone was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaxZoneRemoved {
    /// Its name.
    pub name: String,
}

/// A shipping method was defined or replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShippingMethodDefined {
    /// Its name, unique among its kind.
    pub name: String,
    /// The whole new state.
    pub content: ShippingMethod,
}

/// A shipping method was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShippingMethodRemoved {
    /// Its name.
    pub name: String,
}

/// A location was defined or replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocationDefined {
    /// Its name, unique among its kind.
    pub name: String,
    /// The whole new state.
    pub content: Location,
}

/// A location was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocationRemoved {
    /// Its name.
    pub name: String,
}

/// A channel was defined or replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelDefined {
    /// Its name, unique among its kind.
    pub name: String,
    /// The whole new state.
    pub content: Channel,
}

/// A channel was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelRemoved {
    /// Its name.
    pub name: String,
}

/// What holds for the whole shop was defined or replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShopPolicyDefined {
    /// Its name, unique among its kind.
    pub name: String,
    /// The whole new state.
    pub content: ShopPolicy,
}

/// What holds for the whole shop was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShopPolicyRemoved {
    /// Its name.
    pub name: String,
}

super::events! {
    /// What a shop decides.
    SettingsEvent of Settings; {
        /// A tax zone was defined or replaced.
        TaxZoneDefined(TaxZoneDefined) = "souk.settings.tax_zone.defined.v1",
        /// A tax zone was removed.
        TaxZoneRemoved(TaxZoneRemoved) = "souk.settings.tax_zone.removed.v1",
        /// A shipping method was defined or replaced.
        ShippingMethodDefined(ShippingMethodDefined) = "souk.settings.shipping_method.defined.v1",
        /// A shipping method was removed.
        ShippingMethodRemoved(ShippingMethodRemoved) = "souk.settings.shipping_method.removed.v1",
        /// A location was defined or replaced.
        LocationDefined(LocationDefined) = "souk.settings.location.defined.v1",
        /// A location was removed.
        LocationRemoved(LocationRemoved) = "souk.settings.location.removed.v1",
        /// A channel was defined or replaced.
        ChannelDefined(ChannelDefined) = "souk.settings.channel.defined.v1",
        /// A channel was removed.
        ChannelRemoved(ChannelRemoved) = "souk.settings.channel.removed.v1",
        /// What holds for the whole shop was defined or replaced.
        ShopPolicyDefined(ShopPolicyDefined) = "souk.settings.shop_policy.defined.v1",
        /// What holds for the whole shop was removed.
        ShopPolicyRemoved(ShopPolicyRemoved) = "souk.settings.shop_policy.removed.v1",
    }
}

/// What can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingKind {
    /// A tax zone.
    TaxZone,
    /// A shipping method.
    ShippingMethod,
    /// A location.
    Location,
    /// A channel.
    Channel,
    /// What holds for the whole shop.
    ShopPolicy,
}

impl SettingKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::TaxZone, Self::ShippingMethod, Self::Location, Self::Channel, Self::ShopPolicy];

    /// The word in addresses and in the read side's table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TaxZone => "tax-zones",
            Self::ShippingMethod => "shipping-methods",
            Self::Location => "locations",
            Self::Channel => "channels",
            Self::ShopPolicy => "policies",
        }
    }

    /// The aggregate, as event types name it.
    #[must_use]
    pub const fn aggregate(self) -> &'static str {
        match self {
            Self::TaxZone => "tax_zone",
            Self::ShippingMethod => "shipping_method",
            Self::Location => "location",
            Self::Channel => "channel",
            Self::ShopPolicy => "shop_policy",
        }
    }
}

impl fmt::Display for SettingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is not one of [`SettingKind::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` can't be decided; there are tax-zones, shipping-methods, locations, channels and policies")]
pub struct UnknownSetting(pub String);

impl FromStr for SettingKind {
    type Err = UnknownSetting;

    fn from_str(text: &str) -> Result<Self, UnknownSetting> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownSetting(text.to_owned()))
    }
}

impl SettingsEvent {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> SettingKind {
        match self {
            Self::TaxZoneDefined(_) | Self::TaxZoneRemoved(_) => SettingKind::TaxZone,
            Self::ShippingMethodDefined(_) | Self::ShippingMethodRemoved(_) => SettingKind::ShippingMethod,
            Self::LocationDefined(_) | Self::LocationRemoved(_) => SettingKind::Location,
            Self::ChannelDefined(_) | Self::ChannelRemoved(_) => SettingKind::Channel,
            Self::ShopPolicyDefined(_) | Self::ShopPolicyRemoved(_) => SettingKind::ShopPolicy,
        }
    }

    /// The name of what it is about.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::TaxZoneDefined(event) => &event.name,
            Self::TaxZoneRemoved(event) => &event.name,
            Self::ShippingMethodDefined(event) => &event.name,
            Self::ShippingMethodRemoved(event) => &event.name,
            Self::LocationDefined(event) => &event.name,
            Self::LocationRemoved(event) => &event.name,
            Self::ChannelDefined(event) => &event.name,
            Self::ChannelRemoved(event) => &event.name,
            Self::ShopPolicyDefined(event) => &event.name,
            Self::ShopPolicyRemoved(event) => &event.name,
        }
    }

    /// The new state as JSON text; none if it was removed.
    ///
    /// # Errors
    /// [`EncodeError`] if a value of it has no JSON form.
    pub fn content_json(&self) -> Result<Option<String>, EncodeError> {
        let written = match self {
            Self::TaxZoneDefined(event) => serde_json::to_string(&event.content),
            Self::ShippingMethodDefined(event) => serde_json::to_string(&event.content),
            Self::LocationDefined(event) => serde_json::to_string(&event.content),
            Self::ChannelDefined(event) => serde_json::to_string(&event.content),
            Self::ShopPolicyDefined(event) => serde_json::to_string(&event.content),
            Self::TaxZoneRemoved(_)
            | Self::ShippingMethodRemoved(_)
            | Self::LocationRemoved(_)
            | Self::ChannelRemoved(_)
            | Self::ShopPolicyRemoved(_) => return Ok(None),
        };
        let failed =
            |error: serde_json::Error| EncodeError { event_type: self.event_type(), reason: error.to_string() };
        written.map(Some).map_err(failed)
    }
}
