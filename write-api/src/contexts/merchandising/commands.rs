//! Defining and removing synonyms, rules, facets and experiments.

use super::domain::{Checked, Content, Definition, DefinitionCommand};
use crate::{
    domain::Name,
    pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase, identity},
};
use schemas::{Uuid, events::merchandising::MerchandisingKind, ids::TenantId};
use sqlx::PgConnection;
use std::marker::PhantomData;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct DefinitionRequest<C> {
    id: Uuid,
    name: Name,
    expected: Expected,
    /// What is defined; none to remove it.
    content: Option<Checked<C>>,
}

impl<C: Content> DefinitionRequest<C> {
    pub(super) fn new(tenant: TenantId, name: Name, expected: Expected, content: Option<Checked<C>>) -> Self {
        let id = identity::named(tenant, &[C::KIND.aggregate(), name.as_str()]);
        Self { id, name, expected, content }
    }
}

/// Defining or removing what is of one kind.
pub(super) struct Define<C>(PhantomData<fn() -> C>);

/// Definitions of one kind that are written or removed.
pub(super) type Definitions<C> = Loaded<Define<C>>;

impl<C: Content> UseCase for Define<C> {
    type Aggregate = Definition<C>;
    type Input = DefinitionRequest<C>;
    type Facts = ();

    fn name(input: &DefinitionRequest<C>) -> &'static str {
        match (C::KIND, input.content.is_some()) {
            (MerchandisingKind::Synonyms, true) => "define_synonyms",
            (MerchandisingKind::Synonyms, false) => "remove_synonyms",
            (MerchandisingKind::Rules, true) => "define_rule",
            (MerchandisingKind::Rules, false) => "remove_rule",
            (MerchandisingKind::Facets, true) => "define_facets",
            (MerchandisingKind::Facets, false) => "remove_facets",
            (MerchandisingKind::Experiments, true) => "define_experiment",
            (MerchandisingKind::Experiments, false) => "remove_experiment",
        }
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
        Ok(match input.content.clone() {
            Some(content) => DefinitionCommand::Define { name: input.name.clone(), content },
            None => DefinitionCommand::Remove,
        })
    }
}
