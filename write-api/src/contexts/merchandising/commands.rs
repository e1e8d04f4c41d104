//! Defining and removing synonyms, rules, facets and experiments.

use crate::{
    domain::definition::{Definition, DefinitionCommand},
    pipeline::{
        Expected, Failure, Loaded, Rejection, Scope, UseCase,
        definition::{DefinitionRequest, Kept},
    },
};
use schemas::Uuid;
use sqlx::PgConnection;
use std::marker::PhantomData;

/// Defining or removing what is of one kind.
pub(super) struct Define<C>(PhantomData<fn() -> C>);

/// Definitions of one kind that are written or removed.
pub(super) type Definitions<C> = Loaded<Define<C>>;

impl<C: Kept> UseCase for Define<C> {
    type Aggregate = Definition<C>;
    type Input = DefinitionRequest<C>;
    type Facts = ();

    fn name(input: &DefinitionRequest<C>) -> &'static str {
        input.command_name()
    }

    fn expected(input: &DefinitionRequest<C>) -> Expected {
        input.expected
    }

    async fn facts(_: &mut PgConnection, _: &Scope, _: &[&DefinitionRequest<C>]) -> Result<(), Failure> {
        Ok(())
    }

    fn target((): &(), input: &DefinitionRequest<C>) -> Result<Uuid, Rejection> {
        Ok(input.id)
    }

    fn plan((): &(), input: &DefinitionRequest<C>) -> Result<DefinitionCommand<C>, Rejection> {
        Ok(input.command())
    }
}
