//! Making and revoking keys.

use super::domain::{Key, KeyCommand};
use crate::pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase};
use schemas::Uuid;
use sqlx::PgConnection;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct KeyRequest {
    pub(super) id: Uuid,
    pub(super) expected: Expected,
    pub(super) command: KeyCommand,
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
