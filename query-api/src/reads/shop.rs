//! What a storefront has to know of its shop: channels, currencies, how one pays, and where goods are sent at what price.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
    view::View,
};
use access::{Routes, Rule};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use schemas::{
    contexts::Context,
    events::settings::{PaymentMethod, ShippingTier, TaxMode},
    money::{Currency, InvalidCurrency},
    place::{Place, countries::is_country},
    settings::ShopSettings,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};
use utoipa_axum::routes;

/// What a storefront has to know of its shop.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/shop", "/v1/shop", Expected::Empty("/channels")).given(CHANNEL),
        Isolation::of(
            "/v1/shipping-methods",
            "/v1/shipping-methods?country=DE&currency=EUR",
            Expected::Empty("/methods"),
        )
        .given(METHOD),
    ],
};

const CHANNEL: &[Given] = &[Given {
    method: "PUT",
    path: "/v1/settings/channels/app",
    body: r#"{"title": "Lamp app of ours", "currencies": ["EUR"]}"#,
}];

const METHOD: &[Given] = &[Given {
    method: "PUT",
    path: "/v1/settings/shipping-methods/standard",
    body: r#"{"title": "Standard", "areas": [{"country": "DE"}], "prices": [{"currency": "EUR", "tiers": [{"amount": 499}]}]}"#,
}];

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Shopper, routes!(shop)).allow(Rule::Shopper, routes!(shipping_methods))
}

/// What a storefront has to know of its shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ShopView::example())))]
pub struct ShopView {
    /// Where it sells, by name. None if that is not decided.
    channels: Vec<ShopChannel>,
    /// The currencies of all channels, the one that is meant where none is named first. None if the shop has no channel: it
    /// then sells in whatever currency a price is stated.
    currencies: Vec<Currency>,
    /// How one pays, in the order to show.
    payment_methods: Vec<PaymentMethod>,
    /// Whether prices include tax.
    prices: TaxMode,
    /// Where the shop is: the country that is meant where no address is known.
    home_country: String,
    /// IANA name of the zone in which its days begin and end.
    time_zone: String,
    /// The countries that some shipping method reaches, or a part of; in the order of their codes.
    ships_to: Vec<String>,
    /// Whether some method reaches every country.
    ships_worldwide: bool,
}

/// Where a shop sells.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShopChannel {
    /// Its name.
    name: String,
    /// How people read it.
    title: String,
    /// The currencies that are sold in; the first is meant where none is named.
    currencies: Vec<Currency>,
}

impl ShopView {
    fn of(settings: &ShopSettings) -> Self {
        let channel = |channel: &schemas::settings::Setting<schemas::events::settings::Channel>| ShopChannel {
            name: channel.name.clone(),
            title: channel.content.title.clone(),
            currencies: channel.content.currencies.clone(),
        };
        let policy = &settings.policy.content;
        let areas = || settings.shipping_methods.iter().flat_map(|method| &method.content.areas);
        let countries: BTreeSet<&String> = areas().filter_map(|area| area.country.as_ref()).collect();
        Self {
            channels: settings.channels.iter().map(channel).collect(),
            currencies: settings.currencies(),
            payment_methods: policy.payments.iter().map(|terms| terms.method).collect(),
            prices: policy.prices,
            home_country: policy.home.country.clone(),
            time_zone: policy.time_zone.clone(),
            ships_to: countries.into_iter().cloned().collect(),
            ships_worldwide: areas().any(|area| area.country.is_none()),
        }
    }

    fn example() -> Self {
        let currencies = vec![Currency::USD];
        let channel =
            ShopChannel { name: "web".to_owned(), title: "Web shop".to_owned(), currencies: currencies.clone() };
        Self {
            channels: vec![channel],
            currencies,
            payment_methods: vec![PaymentMethod::Card, PaymentMethod::Transfer],
            prices: TaxMode::Inclusive,
            home_country: "DE".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            ships_to: vec!["AT".to_owned(), "DE".to_owned()],
            ships_worldwide: false,
        }
    }
}

/// What a storefront has to know of the shop: channels, currencies, payment, and the countries that goods are sent to.
#[utoipa::path(get, path = "/v1/shop", tag = "settings", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The shop", body = ShopView)))]
pub async fn shop(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let settings = settings(&app, &context).await?;
    Ok(mark(View::of(&ShopView::of(&settings))?.response(), &verdict))
}

/// Where goods are to be sent.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Destination {
    /// ISO 3166-1 alpha-2, or XK
    country: String,
    /// The second part of its ISO 3166-2 code, such as CA of US-CA
    region: Option<String>,
    /// As it is written there; blanks don't count
    postal_code: Option<String>,
    /// ISO 4217 code; if absent, the first currency of the first channel, or USD
    currency: Option<String>,
}

/// The shipping methods that reach a place.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ShippingOffers::example())))]
pub struct ShippingOffers {
    /// The currency of all amounts.
    currency: Currency,
    /// In the order to show. None if nothing is sent there, or not for this currency.
    methods: Vec<ShippingOffer>,
}

/// A shipping method with its price in one currency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShippingOffer {
    /// Its name.
    name: String,
    /// How the shopper reads it.
    title: String,
    /// Whether the shopper fetches the goods.
    is_pickup: bool,
    /// The least days until it arrives.
    days_least: Option<u32>,
    /// The most days until it arrives.
    days_most: Option<u32>,
    /// The most that it carries, in grams.
    most_grams: Option<i64>,
    /// What it costs: the last tier whose value and weight are both reached counts.
    tiers: Vec<ShippingTier>,
}

impl ShippingOffers {
    fn of(settings: &ShopSettings, place: &Place, currency: Currency) -> Self {
        let offered = settings.shipping(place, currency).into_iter().map(|(method, price)| ShippingOffer {
            name: method.name.clone(),
            title: method.content.title.clone(),
            is_pickup: method.content.is_pickup,
            days_least: method.content.days_least,
            days_most: method.content.days_most,
            most_grams: method.content.most_grams,
            tiers: price.tiers.clone(),
        });
        Self { currency, methods: offered.collect() }
    }

    fn example() -> Self {
        let tier = |from_value, amount| ShippingTier { from_value, from_grams: 0, amount };
        let method = ShippingOffer {
            name: "standard".to_owned(),
            title: "Standard".to_owned(),
            is_pickup: false,
            days_least: Some(2),
            days_most: Some(4),
            most_grams: Some(31_500),
            tiers: vec![tier(0, 499), tier(5_000, 0)],
        };
        Self { currency: Currency::USD, methods: vec![method] }
    }
}

/// The shipping methods that reach a place, with their prices in one currency.
#[utoipa::path(get, path = "/v1/shipping-methods", tag = "settings", params(Destination, ReadHeaders, ReadParameters),
    responses((status = 200, description = "The methods", body = ShippingOffers)))]
pub async fn shipping_methods(
    State(app): State<App>,
    context: ReadContext,
    parameters: Result<Query<Destination>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Destination { country, region, postal_code, currency }) = parameters?;
    let place = Place::typed(&country, region.as_deref(), postal_code.as_deref());
    if !is_country(&place.country) {
        return Err(Refusal::parameter("country", "two letters of ISO 3166-1, or XK, are expected, such as DE"));
    }
    let currency: Option<Currency> = currency
        .map(|text| text.parse())
        .transpose()
        .map_err(|error: InvalidCurrency| Refusal::parameter("currency", error.to_string()))?;
    let verdict = context.wait(&app).await?;
    let settings = settings(&app, &context).await?;
    let currency = currency.or_else(|| settings.currencies().first().copied()).unwrap_or(Currency::USD);
    Ok(mark(View::of(&ShippingOffers::of(&settings, &place, currency))?.response(), &verdict))
}

async fn settings(app: &App, context: &ReadContext) -> Result<Arc<ShopSettings>, Refusal> {
    Ok(app.settings.of(context.tenant, context.names(Context::Settings)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::events::settings::SettingKind;

    #[test]
    fn a_shop_that_has_decided_nothing_is_shown_as_it_would_sell() {
        let shown = ShopView::of(&ShopSettings::default());
        assert!(shown.channels.is_empty() && shown.currencies.is_empty() && shown.ships_to.is_empty());
        assert_eq!(shown.payment_methods, [PaymentMethod::Card, PaymentMethod::Transfer]);
        assert_eq!((shown.home_country.as_str(), shown.ships_worldwide), ("US", false));
    }

    #[test]
    fn countries_are_those_that_some_method_reaches() {
        let mut settings = ShopSettings::default();
        let method = |areas: &str| {
            format!(
                r#"{{"title": "t", "areas": {areas}, "prices": [{{"currency": "EUR", "tiers": [{{"amount": 5}}]}}]}}"#
            )
        };
        let near = method(r#"[{"country": "DE"}, {"country": "AT", "postal_prefix": "6"}]"#);
        let kind = SettingKind::ShippingMethod;
        settings.take(kind, "near", 1, &near).expect("read");
        let shown = ShopView::of(&settings);
        assert_eq!((shown.ships_to, shown.ships_worldwide), (vec!["AT".to_owned(), "DE".to_owned()], false));
        settings.take(kind, "world", 1, &method("[{}]")).expect("read");
        assert!(ShopView::of(&settings).ships_worldwide);
        let euro: Currency = "EUR".parse().expect("a code");
        let names = |country: &str, currency| -> Vec<String> {
            let offers = ShippingOffers::of(&settings, &Place::typed(country, None, None), currency);
            offers.methods.into_iter().map(|method| method.name).collect()
        };
        assert_eq!(
            (names("de", euro), names("JP", euro)),
            (vec!["near".into(), "world".into()], vec!["world".to_owned()])
        );
        assert!(names("DE", Currency::USD).is_empty());
    }
}
