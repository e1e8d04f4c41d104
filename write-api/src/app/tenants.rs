//! Opening tenants, and finding them by slug or id.

use super::{App, Done, Error, Kind, Rejected, answer, command::Reply};
use crate::{
    domain::{
        Aggregate,
        tenants::{OpenTenant, Tenant},
    },
    store::{self, Batch, Failure, Scope},
};
use schemas::{Uuid, contexts::Context, ids::TenantId};
use service::RequestContext;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;

/// How a request names its tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TenantName {
    Slug(String),
    Id(Uuid),
}

/// Tenants found before. They are never deleted or renamed, so only those that are there are kept.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    known: moka::future::Cache<TenantName, TenantId>,
}

impl Default for Directory {
    fn default() -> Self {
        let hour = Duration::from_secs(3_600);
        Self { known: moka::future::Cache::builder().max_capacity(10_000).time_to_live(hour).build() }
    }
}

impl Directory {
    pub(crate) async fn find(&self, pool: &PgPool, name: TenantName) -> Result<Option<TenantId>, Failure> {
        if let Some(id) = self.known.get(&name).await {
            return Ok(Some(id));
        }
        let found = match &name {
            TenantName::Slug(slug) => store::tenants::find(pool, Some(slug), None).await?,
            TenantName::Id(id) => store::tenants::find(pool, None, Some(*id)).await?,
        };
        if let Some(id) = found {
            self.known.insert(name, id).await;
        }
        Ok(found)
    }
}

impl App {
    /// Opens a shop; one that is open already is left as it is.
    pub(crate) async fn open_tenant(&self, request: RequestContext, command: OpenTenant) -> Result<Reply, Error> {
        let mut conn = self.pool.acquire().await?;
        let known = store::tenants::load(&mut conn, command.slug.as_str()).await?;
        drop(conn);
        if let Some(done) = existing(&known) {
            return Ok(Reply { answer: answer::answer(Context::Tenants, &done), replayed: false });
        }
        self.command::<Tenants>(&self.scope(command.id, request), None, command).await
    }
}

fn existing(batch: &Batch<Tenant>) -> Option<Done> {
    let id = batch.states().next()?.id.uuid();
    let version = batch.get(id)?.version;
    Some(Done::moved(id, version, version))
}

/// Tenants.
#[derive(Debug)]
pub(crate) struct Tenants;

impl Kind for Tenants {
    const CONTEXT: Context = Context::Tenants;
    type Line = OpenTenant;
    type Desk = Batch<Tenant>;

    fn name(_: &OpenTenant) -> &'static str {
        "open"
    }

    async fn load(conn: &mut PgConnection, _: &Scope, lines: &[&OpenTenant]) -> Result<Batch<Tenant>, Failure> {
        // Tenants come one at a time.
        match lines {
            [line] => store::tenants::load(conn, line.slug.as_str()).await,
            _ => Ok(Batch::default()),
        }
    }

    fn decide(desk: &mut Batch<Tenant>, line: &OpenTenant) -> Result<Done, Rejected> {
        if let Some(done) = existing(desk) {
            return Ok(done);
        }
        let Ok(events) = Tenant::decide(None, line.clone());
        let version = desk.record(line.id.uuid(), events);
        Ok(Done::moved(line.id.uuid(), 0, version))
    }

    async fn write(conn: &mut PgConnection, scope: &Scope, desk: Batch<Tenant>) -> Result<(), Failure> {
        desk.append(conn, scope).await
    }
}
