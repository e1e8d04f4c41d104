//! What staff can do about a process that does not go on, or that they want to end.

use super::{Note, Process};
use crate::pipeline::{App, Change, Done, Error, Rejection, Scope, command::CarriedOut, procedure::Procedure};
use schemas::{
    Timestamp, Uuid,
    contexts::Context,
    ids::TenantId,
    problem::{Problem, ProblemType},
};
use sqlx::PgConnection;
use std::marker::PhantomData;

/// What staff want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// That it tries again what it stands at.
    Retry,
    /// That it goes on as if what it stands at were done: they have done it by hand.
    Skip,
    /// That it takes back what it has done, as far as it may, and ends.
    Abort,
}

/// What staff want, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) reason: String,
}

/// Does to a process what staff want.
pub(crate) async fn ask(app: &App, scope: &Scope, process: Uuid, asked: &Asked) -> Result<CarriedOut, Error> {
    let name = name_of(&mut *app.database.of_shop(scope.tenant).await?, scope.tenant, process).await?;
    let registered = name.as_deref().and_then(|name| app.processes.named(name));
    let registered = registered.ok_or_else(|| Rejection::not_found("there is no process with this id"))?;
    let done = registered.ask(app, scope, process, asked).await?;
    Ok(CarriedOut { context: registered.context, done, replayed: false })
}

async fn name_of(conn: &mut PgConnection, tenant: TenantId, process: Uuid) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT name FROM processes.processes WHERE tenant_id = $1 AND process_id = $2 ORDER BY name LIMIT 1",
    )
    .bind(tenant.uuid())
    .bind(process)
    .fetch_optional(conn)
    .await
}

/// The same, of a process whose types are known.
pub(super) async fn carry_out<P: Process>(
    app: &App,
    scope: &Scope,
    process: Uuid,
    asked: &Asked,
) -> Result<Done, Error> {
    app.procedure(scope, &Asking::<P> { process, asked, of: PhantomData }).await
}

struct Asking<'a, P> {
    process: Uuid,
    asked: &'a Asked,
    of: PhantomData<fn() -> P>,
}

/// Where a process stands.
#[derive(Debug, sqlx::FromRow)]
struct Standing {
    is_parked: bool,
    has_ended: bool,
    first_step: Option<String>,
}

impl<P: Process> Procedure for Asking<'_, P> {
    const CONTEXT: Context = P::CONTEXT;
    type Output = Done;

    fn name(&self) -> &'static str {
        match self.asked.ask {
            Ask::Retry => "retry_process",
            Ask::Skip => "skip_process",
            Ask::Abort => "abort_process",
        }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let row = Row { tenant: scope.tenant, name: P::NAME, process: self.process, now: scope.now };
        let standing = row.lock(&mut *conn).await?;
        let standing = standing.ok_or_else(|| Rejection::not_found("there is no process with this id"))?;
        let reason = self.asked.reason.clone();
        let note = match (self.asked.ask, standing.first_step) {
            (Ask::Retry | Ask::Skip, _) if !standing.is_parked => return Err(not_parked().into()),
            (Ask::Retry, _) => Note::Retried { reason },
            (Ask::Skip, None) => return Err(no_step().into()),
            (Ask::Skip, Some(step)) => {
                row.skip(&mut *conn, &step).await?;
                Note::Skipped { step, reason }
            }
            (Ask::Abort, _) if standing.has_ended => return Err(ended().into()),
            (Ask::Abort, _) => {
                row.tell(&mut *conn, "abort", &reason).await?;
                Note::Aborted { reason }
            }
        };
        row.go_on(&mut *conn).await?;
        let done = P::note(conn, scope, self.process, &note).await?;
        Ok((done.change, done))
    }
}

fn not_parked() -> Rejection {
    let problem = ProblemType::conflict("process_not_parked", "The process goes on by itself");
    Rejection::of(Problem::new(problem).detail("only a process that is parked is tried again or led past a step"))
}

fn no_step() -> Rejection {
    let problem = ProblemType::conflict("process_without_step", "The process stands at no step");
    Rejection::of(Problem::new(problem).detail("there is nothing to skip; let it try again"))
}

fn ended() -> Rejection {
    let problem = ProblemType::conflict("process_ended", "The process has ended");
    Rejection::of(Problem::new(problem).detail("nothing of it is left to end"))
}

/// The row of a process.
struct Row {
    tenant: TenantId,
    name: &'static str,
    process: Uuid,
    now: Timestamp,
}

impl Row {
    async fn lock(&self, conn: &mut PgConnection) -> Result<Option<Standing>, sqlx::Error> {
        sqlx::query_as(
            "SELECT p.parked_at IS NOT NULL AS is_parked, p.ended_at IS NOT NULL AS has_ended,
               (SELECT s.step FROM processes.steps AS s
                WHERE s.tenant_id = p.tenant_id AND s.name = p.name AND s.process_id = p.process_id
                ORDER BY s.number LIMIT 1) AS first_step
             FROM processes.processes AS p WHERE p.tenant_id = $1 AND p.name = $2 AND p.process_id = $3 FOR UPDATE OF p",
        )
        .bind(self.tenant.uuid())
        .bind(self.name)
        .bind(self.process)
        .fetch_optional(conn)
        .await
    }

    /// Takes a step away and tells the process that it is done.
    async fn skip(&self, conn: &mut PgConnection, step: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM processes.steps WHERE tenant_id = $1 AND name = $2 AND process_id = $3 AND step = $4")
            .bind(self.tenant.uuid())
            .bind(self.name)
            .bind(self.process)
            .bind(step)
            .execute(&mut *conn)
            .await?;
        self.tell(conn, "skipped", step).await
    }

    async fn tell(&self, conn: &mut PgConnection, kind: &str, payload: &str) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO processes.triggers (tenant_id, name, process_id, kind, payload, occurred_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.tenant.uuid())
        .bind(self.name)
        .bind(self.process)
        .bind(kind)
        .bind(payload)
        .bind(self.now)
        .execute(conn)
        .await?;
        Ok(())
    }

    /// Lets it go on at once, whatever has failed before.
    async fn go_on(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE processes.steps SET tries = 0, next_try_at = $4
             WHERE tenant_id = $1 AND name = $2 AND process_id = $3",
        )
        .bind(self.tenant.uuid())
        .bind(self.name)
        .bind(self.process)
        .bind(self.now)
        .execute(&mut *conn)
        .await?;
        sqlx::query(
            "UPDATE processes.processes SET parked_at = NULL, parked_step = NULL, parked_reason = NULL, wake_at = $4
             WHERE tenant_id = $1 AND name = $2 AND process_id = $3",
        )
        .bind(self.tenant.uuid())
        .bind(self.name)
        .bind(self.process)
        .bind(self.now)
        .execute(conn)
        .await?;
        Ok(())
    }
}
