//! What shoppers searched for and did, as sums by query, by product and by day (UTC).
//!
//! A click belongs to the day, the query and the experiment's arm of the search it names. Whichever of the
//! two comes first, the sums are the same in the end: a search that is named before it is known keeps count of
//! its own until it comes.

use crate::{
    holds::Holds,
    projection::{Moment, Projection, Ticked, ViewTable},
};
use eventlog::Event;
use schemas::{
    Days, NaiveDate, Timestamp,
    events::{
        DomainEvent, InsightsEvent,
        insights::{ClientActed, ClientSearched, split_arm},
    },
    ids::{ProductId, TenantId},
    topics::Context,
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

pub mod retention;
mod rows;

type SearchKey = (TenantId, String);

/// What followed from a search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Followed {
    clicks: i64,
    /// Clicks that said where.
    placed_clicks: i64,
    /// The sum of their places.
    click_positions: i64,
    carts: i64,
    purchases: i64,
}

impl Followed {
    /// What an action adds to the search it names.
    fn of(action: &ClientActed) -> Self {
        let mut followed = Self::default();
        match action.action_name.as_str() {
            "click" => {
                followed.clicks = 1;
                if let Some(place) = &action.event_attributes.position {
                    followed.placed_clicks = 1;
                    followed.click_positions = i64::from(place.ordinal);
                }
            }
            "add_to_cart" => followed.carts = 1,
            "purchase" => followed.purchases = 1,
            _ => {}
        }
        followed
    }

    fn plus(self, other: Self) -> Self {
        Self {
            clicks: self.clicks + other.clicks,
            placed_clicks: self.placed_clicks + other.placed_clicks,
            click_positions: self.click_positions + other.click_positions,
            carts: self.carts + other.carts,
            purchases: self.purchases + other.purchases,
        }
    }
}

/// What was searched for, when, and how it was ranked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    day: NaiveDate,
    query: String,
    experiment: String,
    arm: String,
}

/// One search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Search {
    /// None until the search itself has come.
    asked: Option<Asked>,
    followed: Followed,
    /// The last day on which something followed before it came.
    acted: Option<NaiveDate>,
}

/// What is added to the sums of a query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct QueryFigures {
    searches: i64,
    no_results: i64,
    followed: Followed,
    clicked_searches: i64,
    purchased_searches: i64,
}

impl QueryFigures {
    /// Something followed from one search, from which this much had followed before.
    fn follow(&mut self, before: Followed, more: Followed) {
        self.followed = self.followed.plus(more);
        self.clicked_searches += i64::from(before.clicks == 0 && more.clicks > 0);
        self.purchased_searches += i64::from(before.purchases == 0 && more.purchases > 0);
    }
}

/// What is added to the sums of a product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ProductFigures {
    impressions: i64,
    clicks: i64,
    carts: i64,
    purchases: i64,
}

/// The searches that a batch names, and what it adds.
#[derive(Debug, Default)]
struct Ledger {
    searches: BTreeMap<SearchKey, Search>,
    moved: BTreeSet<SearchKey>,
    queries: BTreeMap<(TenantId, Asked), QueryFigures>,
    products: BTreeMap<(TenantId, NaiveDate, ProductId), ProductFigures>,
}

impl Ledger {
    fn add(&mut self, tenant: TenantId, event: &InsightsEvent) {
        match event {
            InsightsEvent::Searched(search) => self.searched(tenant, search),
            InsightsEvent::Acted(action) => {
                self.acted_with(tenant, action);
                self.followed(tenant, action);
            }
        }
    }

    fn searched(&mut self, tenant: TenantId, event: &ClientSearched) {
        let key = (tenant, event.query_id.clone());
        let search = self.searches.entry(key.clone()).or_default();
        // Shop and browser may both report one search: the first counts.
        if search.asked.is_some() {
            return;
        }
        let (experiment, arm) = event.arm.as_deref().and_then(split_arm).unwrap_or_default();
        let asked = Asked {
            day: event.timestamp.date_naive(),
            query: normalised(&event.user_query),
            experiment: experiment.to_owned(),
            arm: arm.to_owned(),
        };
        let figures = self.queries.entry((tenant, asked.clone())).or_default();
        figures.searches += 1;
        figures.no_results += i64::from(event.query_response_hit_ids.as_ref().is_some_and(Vec::is_empty));
        figures.follow(Followed::default(), search.followed);
        (search.asked, search.acted) = (Some(asked), None);
        self.moved.insert(key);
    }

    fn followed(&mut self, tenant: TenantId, event: &ClientActed) {
        let more = Followed::of(event);
        let Some(query_id) = event.query_id.clone().filter(|_| more != Followed::default()) else { return };
        let key = (tenant, query_id);
        let search = self.searches.entry(key.clone()).or_default();
        if let Some(asked) = &search.asked {
            self.queries.entry((tenant, asked.clone())).or_default().follow(search.followed, more);
        } else {
            search.acted = search.acted.max(Some(event.timestamp.date_naive()));
        }
        search.followed = search.followed.plus(more);
        self.moved.insert(key);
    }

    fn acted_with(&mut self, tenant: TenantId, event: &ClientActed) {
        let Some(object) = &event.event_attributes.object else { return };
        let mut more = ProductFigures::default();
        match event.action_name.as_str() {
            "impression" => more.impressions = 1,
            "click" => more.clicks = 1,
            "add_to_cart" => more.carts = 1,
            "purchase" => more.purchases = 1,
            _ => return,
        }
        let figures = self.products.entry((tenant, event.timestamp.date_naive(), object.object_id)).or_default();
        figures.impressions += more.impressions;
        figures.clicks += more.clicks;
        figures.carts += more.carts;
        figures.purchases += more.purchases;
    }
}

/// A query as its sums are kept by: in lower case, with single spaces.
fn normalised(query: &str) -> String {
    search::analyzer::small_letters(&query.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Searches that the live views have not deleted by age; what names an older one counts in one set alone.
const KEPT: &str = "coalesce(day >= (SELECT before FROM public.insight_retention),
                             NOT EXISTS (SELECT FROM public.insight_retention))";

fn reports<'a>(events: &[&'a Event]) -> Vec<(TenantId, &'a InsightsEvent)> {
    let report = |event: &&'a Event| match &event.event {
        DomainEvent::Insights(report) => Some((event.envelope.tenant, report)),
        _ => None,
    };
    events.iter().filter_map(report).collect()
}

/// The search that a report names.
fn search_of(report: &InsightsEvent) -> Option<&str> {
    match report {
        InsightsEvent::Searched(search) => Some(&search.query_id),
        InsightsEvent::Acted(action) => action.query_id.as_deref(),
    }
}

/// What shoppers did, as sums.
#[derive(Debug)]
pub struct Insights;

impl Projection for Insights {
    const NAME: &'static str = "insights";
    const READS: &'static [Context] = &[Context::Insights];
    const TABLES: &'static [ViewTable] = &[
        ViewTable {
            equal: "(to_jsonb(r) - 'acted')::text",
            only: KEPT,
            ..ViewTable::whole("insight_searches", "tenant_id, query_id")
        },
        ViewTable { only: KEPT, ..ViewTable::whole("insight_queries", "tenant_id, day, query, experiment, arm") },
        ViewTable::whole("insight_products", "tenant_id, day, product_id"),
    ];

    /// Adding twice would count twice: only new reports come here.
    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        let reports = reports(events);
        let named: BTreeSet<SearchKey> =
            reports.iter().filter_map(|(tenant, report)| Some((*tenant, search_of(report)?.to_owned()))).collect();
        let mut ledger = Ledger { searches: rows::searches(connection, &named).await?, ..Ledger::default() };
        for (tenant, report) in reports {
            ledger.add(tenant, report);
        }
        rows::store_searches(connection, &ledger).await?;
        rows::add_to_queries(connection, &ledger.queries).await?;
        rows::add_to_products(connection, &ledger.products).await
    }

    /// Shop and browser may name one search, and their reports may be in two shares. Sums are added to in the order of their
    /// keys.
    async fn hold(transaction: &mut PgConnection, events: &[&Event]) -> Result<(), sqlx::Error> {
        let mut searches = Holds::of("searches");
        for (tenant, report) in reports(events) {
            if let Some(query_id) = search_of(report) {
                searches.alone(&[tenant.uuid().as_bytes(), query_id.as_bytes()].concat());
            }
        }
        searches.take(transaction).await
    }

    async fn tick(connection: &mut PgConnection, at: &Moment) -> Result<Ticked, sqlx::Error> {
        let days = u64::from(at.insight_retention_days);
        let before = at.now.date_naive().checked_sub_days(Days::new(days)).filter(|_| days > 0);
        let Some(before) = before else { return Ok(Ticked::default()) };
        Ok(Ticked { changed: 0, pruned: retention::prune(connection, before).await?, has_more: false })
    }
}

#[cfg(test)]
mod tests;
