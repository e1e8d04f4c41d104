//! How a command becomes a state and events, the same way in every context.
//!
//! A slice describes its [`UseCase`]s: facts to look up, the aggregate that is meant, the command. The pipeline loads,
//! checks the version, decides, records and writes, in one transaction, for one command ([`App::command`]) or for a
//! stream of them ([`bulk`]). What a plain use case can't say, a slice says with a [`WorkingSet`] of its own.
//!
//! | path | what is there |
//! |---|---|
//! | [`use_case`] | the two traits, and [`Loaded`], which makes the one of the other |
//! | [`batch`] | aggregates that were loaded, what was decided on them, writing it |
//! | [`database`] | transactions, each for a shop |
//! | [`table`] | a table by its description |
//! | [`outbox`], [`idempotency`] | what every context has in its schema |
//! | [`allowance`] | what a shop may still have |
//! | [`limits`] | how much of it at once |
//! | [`procedure`] | what changes several aggregates, or tells more |
//! | [`definition`] | what staff define under names, and its table |
//! | [`process`] | what spans contexts and takes its time |
//! | [`together`] | commands of many on one aggregate, decided in one transaction |
//! | [`scope`] | whose data, at what time, on whose request |
//! | `sealing` | what a shop keeps secret |
//! | [`audited`], [`changes`] | who acts, and what was changed so far |
//! | [`outcome`], [`failure`] | what comes of a command, or why nothing does |

pub(crate) mod allowance;
pub(crate) mod audited;
pub(crate) mod batch;
pub(crate) mod bulk;
mod changes;
pub(crate) mod command;
pub(crate) mod database;
pub(crate) mod definition;
pub(crate) mod failure;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub(crate) mod limits;
pub(crate) mod metrics;
mod outbox;
pub(crate) mod outcome;
mod per_context;
pub(crate) mod procedure;
pub(crate) mod process;
mod scope;
mod sealing;
pub(crate) mod table;
pub(crate) mod together;
pub(crate) mod use_case;

pub(crate) use allowance::Allowance;
pub(crate) use audited::Audited;
pub(crate) use batch::{Batch, Row, Stored};
pub(crate) use failure::Failure;
pub(crate) use limits::{BulkLimits, BulkPlace};
pub(crate) use outcome::{Change, Done, Error, Expected, Rejection};
pub(crate) use scope::Scope;
pub(crate) use table::{Column, Table, TableSpec};
pub(crate) use together::{Groups, Together};
pub(crate) use use_case::{Loaded, UseCase, WorkingSet};

use crate::{
    clock::Clock,
    contexts::{accounts::port::Accounts, payments::port::parts::Payments, tenants::port::Directory},
    wake::Waker,
};
use access::{Callers, Rates, shop::FoundTenant};
use allowance::Counts;
use database::Database;
use metrics::CommandMetrics;
use process::registered::Processes;
use schemas::ids::TenantId;
use service::{Refusals, RequestContext};
use std::sync::Arc;

/// What the use cases need.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) waker: Waker,
    pub(crate) metrics: CommandMetrics,
    pub(crate) refusals: Refusals,
    pub(crate) bulk: BulkLimits,
    pub(crate) tenants: Directory,
    /// Who calls, by the key that is sent.
    pub(crate) callers: Callers,
    /// What accounts of shoppers need.
    pub(crate) accounts: Accounts,
    /// How payment providers are reached.
    pub(crate) payments: Payments,
    /// How much each shop asks.
    pub(crate) rates: Rates,
    /// How many products shops have that may not have as many as they like.
    pub(crate) counts: Counts,
    /// How many attribute names a shop may have.
    pub(crate) most_attributes: usize,
    /// What goes on over several commands.
    pub(crate) processes: Processes,
    /// Commands that wait to be decided together.
    pub(crate) groups: Groups,
}

impl App {
    /// The scope of a command that came over HTTP.
    pub(crate) fn scope(&self, tenant: TenantId, request: RequestContext, audited: Audited) -> Scope {
        let (now, clock) = (self.clock.now(), Arc::clone(&self.clock));
        let (allowance, most_attributes) = (Allowance::default(), self.most_attributes);
        let processes = self.processes.correlations();
        Scope { tenant, request, audited, cause: None, now, clock, most_attributes, allowance, processes }
    }

    /// What a shop may still have.
    pub(crate) fn allowance(&self, found: &FoundTenant) -> Allowance {
        Allowance::of(found, self.counts.clone())
    }
}
