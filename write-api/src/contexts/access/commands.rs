//! Making and revoking keys, and noting their use.

use super::domain::{Key, KeyCommand};
use crate::pipeline::{App, Audited, Error, Expected, Failure, Loaded, Rejection, Scope, UseCase};
use schemas::{Uuid, ids::TenantId};
use service::RequestContext;
use sqlx::PgConnection;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct KeyRequest {
    pub(super) id: Uuid,
    pub(super) expected: Expected,
    pub(super) command: KeyCommand,
}

/// Notes that keys were used today. One that is none, or that was noted before, is passed over.
pub(super) async fn note_used(app: &App, used: &[(TenantId, Uuid)]) -> Result<(), Error> {
    for (tenant, id) in used {
        let request = RequestContext { correlation_id: app.clock.id().to_string(), traceparent: None };
        // Nobody did this: the audit has nothing of it.
        let scope = app.scope(*tenant, request, Audited::default());
        let command = KeyCommand::Use(scope.now.date_naive());
        let request = KeyRequest { id: *id, expected: Expected::Any, command };
        match app.command::<Keys>(&scope, None, request).await {
            Ok(_) | Err(Error::Rejected(_) | Error::KeyReused) => {}
            Err(error @ Error::Failed(_)) => return Err(error),
        }
    }
    Ok(())
}

/// Making or revoking a key.
pub(super) struct Manage;

/// Keys that are made or revoked.
pub(super) type Keys = Loaded<Manage>;

impl UseCase for Manage {
    type Aggregate = Key;
    type Input = KeyRequest;
    type Facts = ();

    fn name(request: &KeyRequest) -> &'static str {
        match request.command {
            KeyCommand::Create(_) => "create_key",
            KeyCommand::Use(_) => "use_key",
            KeyCommand::Revoke => "revoke_key",
        }
    }

    fn expected(request: &KeyRequest) -> Expected {
        request.expected
    }

    async fn facts(_: &mut PgConnection, _: &Scope, _: &[&KeyRequest]) -> Result<(), Failure> {
        Ok(())
    }

    fn target((): &(), request: &KeyRequest) -> Result<Uuid, Rejection> {
        Ok(request.id)
    }

    fn plan((): &(), request: &KeyRequest) -> Result<KeyCommand, Rejection> {
        Ok(request.command.clone())
    }
}
