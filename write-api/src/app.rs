//! Every use case of the write side, on one screen.
//!
//! | use case | kind | decided by |
//! |---|---|---|
//! | open a tenant | [`tenants::Tenants`] | `domain::tenants` |
//! | create, change, publish, archive, delete a product; products in bulk | [`products::Products`] | `domain::catalog::product` |
//! | create, change, delete a category; categories in bulk | [`categories::Categories`] | `domain::catalog::category` |
//! | set, remove prices; prices in bulk | [`prices::Prices`] | `domain::pricing` |
//! | receive, adjust stock; stock in bulk | [`stock::Stock`] | `domain::inventory` |
//! | define, remove synonyms, rules, facets, experiments | [`merchandising::Definitions`] | `domain::merchandising` |
//! | take reports of what shoppers did | [`insights::Reports`] | `domain::insights` |
//!
//! Each is a [`Kind`]: load what its lines name, decide each, write all in one transaction. A single
//! command is a batch of one line ([`App::command`]); a bulk write is a stream of them ([`bulk`]).

pub(crate) mod answer;
pub(crate) mod bulk;
pub(crate) mod categories;
pub(crate) mod command;
pub(crate) mod identity;
pub(crate) mod insights;
pub(crate) mod merchandising;
pub(crate) mod metrics;
pub(crate) mod outcome;
pub(crate) mod prices;
pub(crate) mod products;
pub(crate) mod stock;
pub(crate) mod tenants;

pub(crate) use outcome::{Change, Done, Error, Expected, Rejected};

use crate::{clock::Clock, store::Failure, store::Scope, wake::Waker};
use metrics::CommandMetrics;
use schemas::{contexts::Context, ids::TenantId};
use service::RequestContext;
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;

/// What the use cases need.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) pool: PgPool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) waker: Waker,
    pub(crate) metrics: CommandMetrics,
    pub(crate) tenants: tenants::Directory,
}

impl App {
    pub(crate) fn scope(&self, tenant: TenantId, request: RequestContext) -> Scope {
        Scope { tenant, request, now: self.clock.now(), clock: Arc::clone(&self.clock) }
    }
}

/// A kind of aggregate with its use cases.
pub(crate) trait Kind: 'static {
    const CONTEXT: Context;
    /// One command.
    type Line: Send + Sync + 'static;
    /// What was loaded for some commands and what was decided so far.
    type Desk: Send;

    /// The command's name in metrics.
    fn name(line: &Self::Line) -> &'static str;

    /// Loads, in a few queries, all that these commands need.
    fn load(
        conn: &mut PgConnection,
        scope: &Scope,
        lines: &[&Self::Line],
    ) -> impl Future<Output = Result<Self::Desk, Failure>> + Send;

    /// Decides one command; a rejected one leaves the desk as it was.
    fn decide(desk: &mut Self::Desk, line: &Self::Line) -> Result<Done, Rejected>;

    /// Writes what was decided.
    fn write(
        conn: &mut PgConnection,
        scope: &Scope,
        desk: Self::Desk,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}
