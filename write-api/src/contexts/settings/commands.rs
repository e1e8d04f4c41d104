//! Defining and removing settings.

use super::{
    domain::{Others, Setting, fits_beside},
    table,
};
use crate::{
    domain::definition::{Checked, Definition, DefinitionCommand},
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

/// Settings of one kind that are written or removed.
pub(super) type Settings<C> = Loaded<Define<C>>;

impl<C: Setting + Kept> UseCase for Define<C> {
    type Aggregate = Definition<C>;
    type Input = DefinitionRequest<C>;
    type Facts = Others;

    fn name(input: &DefinitionRequest<C>) -> &'static str {
        input.command_name()
    }

    fn expected(input: &DefinitionRequest<C>) -> Expected {
        input.expected
    }

    async fn facts(
        conn: &mut PgConnection,
        scope: &Scope,
        inputs: &[&DefinitionRequest<C>],
    ) -> Result<Others, Failure> {
        let defined: Vec<&C> = inputs.iter().filter_map(|input| Some(input.content.as_ref()?.content())).collect();
        if defined.is_empty() {
            return Ok(Others::default());
        }
        let areas: Vec<String> =
            defined.iter().flat_map(|content| content.own_areas()).map(ToString::to_string).collect();
        table::others::<C>(conn, scope, &areas).await
    }

    fn target(_: &Others, input: &DefinitionRequest<C>) -> Result<Uuid, Rejection> {
        Ok(input.id)
    }

    fn plan(others: &Others, input: &DefinitionRequest<C>) -> Result<DefinitionCommand<C>, Rejection> {
        if let Some(content) = input.content.as_ref().map(Checked::content) {
            fits_beside(input.id, content, others)?;
        }
        Ok(input.command())
    }
}
