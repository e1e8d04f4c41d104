//! Taking reports of what shoppers searched for and did, each once.

use super::{
    domain::{Client, Report, ReportCommand},
    table,
};
use crate::{
    domain::Aggregate,
    pipeline::{Batch, Done, Expected, Failure, Rejection, Scope, Stored, WorkingSet, identity},
};
use schemas::{
    Uuid,
    contexts::Context,
    events::{EncodeError, InsightsEvent},
    ids::TenantId,
};
use sqlx::PgConnection;
use std::collections::HashSet;

/// One report.
#[derive(Debug, Clone)]
pub(super) struct ReportRequest {
    client: Uuid,
    report: Report,
}

impl ReportRequest {
    /// A report under the id it was given, or one that follows from what it says.
    pub(super) fn new(tenant: TenantId, report: Report, given: Option<Uuid>) -> Result<Self, EncodeError> {
        let record_id = match given {
            Some(id) => id,
            None => {
                let blank = report.event().clone().identified(Uuid::nil());
                identity::named(tenant, &["report", blank.event_type(), &blank.to_json()?])
            }
        };
        let client = identity::named(tenant, &["client", report.event().client_id()]);
        Ok(Self { client, report: report.identified(record_id) })
    }
}

/// Clients that report, and what is known of their reports.
pub(super) struct Reports {
    clients: Batch<Client>,
    known: HashSet<Uuid>,
    new: Vec<Uuid>,
}

impl WorkingSet for Reports {
    const CONTEXT: Context = Context::Insights;
    type Input = ReportRequest;

    fn name(input: &ReportRequest) -> &'static str {
        match input.report.event() {
            InsightsEvent::Searched(_) => "report_search",
            InsightsEvent::Acted(_) => "report_action",
        }
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, inputs: &[&ReportRequest]) -> Result<Self, Failure> {
        let clients: Vec<Uuid> = inputs.iter().map(|input| input.client).collect();
        let records: Vec<Uuid> = inputs.iter().map(|input| input.report.event().record_id()).collect();
        // The clients first: who waits for their locks then sees what those before it have recorded.
        let clients = Client::load(conn, scope, &clients).await?;
        let known = table::known(conn, scope, &records).await?;
        Ok(Self { clients, known, new: Vec::new() })
    }

    fn decide(&mut self, input: &ReportRequest) -> Result<Done, Rejection> {
        let record_id = input.report.event().record_id();
        let command = ReportCommand { report: input.report.clone(), is_known: self.known.contains(&record_id) };
        let is_new = !command.is_known;
        let done = self.clients.carry_out(input.client, Expected::Any, |clients| {
            Ok(Client::decide(clients.state(input.client), command)?)
        })?;
        if is_new {
            self.known.insert(record_id);
            self.new.push(record_id);
        }
        Ok(done)
    }

    async fn write(self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
        self.clients.append(conn, scope).await?;
        table::remember(conn, scope, self.new).await
    }
}
