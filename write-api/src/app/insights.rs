//! Taking reports of what shoppers searched for and did, each once.

use super::{Done, Kind, Rejected, identity};
use crate::{
    domain::{
        Aggregate,
        insights::{Client, Report, ReportCommand},
    },
    store::{self, Batch, Failure, Scope},
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
pub(crate) struct ReportLine {
    client: Uuid,
    report: Report,
}

impl ReportLine {
    /// A report under the id it was given, or one that follows from what it says.
    pub(crate) fn new(tenant: TenantId, report: Report, given: Option<Uuid>) -> Result<Self, EncodeError> {
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

/// Reports.
#[derive(Debug)]
pub(crate) struct Reports;

/// What was loaded.
pub(crate) struct Desk {
    clients: Batch<Client>,
    known: HashSet<Uuid>,
    new: Vec<Uuid>,
}

impl Kind for Reports {
    const CONTEXT: Context = Context::Insights;
    type Line = ReportLine;
    type Desk = Desk;

    fn name(line: &ReportLine) -> &'static str {
        match line.report.event() {
            InsightsEvent::Searched(_) => "report_search",
            InsightsEvent::Acted(_) => "report_action",
        }
    }

    async fn load(conn: &mut PgConnection, scope: &Scope, lines: &[&ReportLine]) -> Result<Desk, Failure> {
        let clients: Vec<Uuid> = lines.iter().map(|line| line.client).collect();
        let records: Vec<Uuid> = lines.iter().map(|line| line.report.event().record_id()).collect();
        // The clients first: who waits for their locks then sees what those before it have recorded.
        let clients = store::reports::load_clients(conn, scope, &clients).await?;
        let known = store::reports::known(conn, scope, &records).await?;
        Ok(Desk { clients, known, new: Vec::new() })
    }

    fn decide(desk: &mut Desk, line: &ReportLine) -> Result<Done, Rejected> {
        let before = desk.clients.get(line.client).map_or(0, |client| client.version);
        let record_id = line.report.event().record_id();
        let is_known = desk.known.contains(&record_id);
        let command = ReportCommand { report: line.report.clone(), is_known };
        let Ok(events) = Client::decide(desk.clients.state(line.client), command);
        if events.is_empty() {
            return Ok(Done::moved(line.client, before, before));
        }
        desk.known.insert(record_id);
        desk.new.push(record_id);
        Ok(Done::moved(line.client, before, desk.clients.record(line.client, events)))
    }

    async fn write(conn: &mut PgConnection, scope: &Scope, desk: Desk) -> Result<(), Failure> {
        desk.clients.append(conn, scope).await?;
        store::reports::remember(conn, scope, desk.new).await
    }
}
