//! Defining and removing synonyms, rules, facets and experiments.

use super::{Change, Done, Expected, Kind, Rejected, identity};
use crate::{
    domain::{
        Aggregate,
        merchandising::{Checked, Content, Definition, DefinitionCommand, Name},
    },
    store::{self, Batch, Failure, Scope},
};
use schemas::{Uuid, contexts::Context, events::merchandising::MerchandisingKind, ids::TenantId};
use sqlx::PgConnection;
use std::marker::PhantomData;

/// One command to a definition.
#[derive(Debug, Clone)]
pub(crate) struct DefinitionLine<C> {
    id: Uuid,
    name: Name,
    expected: Expected,
    /// What is defined; none to remove it.
    content: Option<Checked<C>>,
}

impl<C: Content> DefinitionLine<C> {
    pub(crate) fn new(tenant: TenantId, name: Name, expected: Expected, content: Option<Checked<C>>) -> Self {
        let id = identity::named(tenant, &[C::KIND.aggregate(), name.as_str()]);
        Self { id, name, expected, content }
    }
}

/// Definitions of one kind.
#[derive(Debug)]
pub(crate) struct Definitions<C>(PhantomData<fn() -> C>);

impl<C: Content> Kind for Definitions<C> {
    const CONTEXT: Context = Context::Merchandising;
    type Line = DefinitionLine<C>;
    type Desk = Batch<Definition<C>>;

    fn name(line: &DefinitionLine<C>) -> &'static str {
        match (C::KIND, line.content.is_some()) {
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

    async fn load(
        conn: &mut PgConnection,
        scope: &Scope,
        lines: &[&DefinitionLine<C>],
    ) -> Result<Batch<Definition<C>>, Failure> {
        let ids: Vec<Uuid> = lines.iter().map(|line| line.id).collect();
        store::definitions::load(conn, scope, &ids).await
    }

    fn decide(desk: &mut Batch<Definition<C>>, line: &DefinitionLine<C>) -> Result<Done, Rejected> {
        let item = desk.get(line.id);
        // What was removed needs no version to be defined anew.
        let standing = item.filter(|item| item.state.as_ref().is_some_and(|state| state.content.is_some()));
        line.expected.check(standing)?;
        let (before, created) = (item.map_or(0, |item| item.version), standing.is_none());
        let command = match line.content.clone() {
            Some(content) => DefinitionCommand::Define { name: line.name.clone(), content },
            None => DefinitionCommand::Remove,
        };
        let events = Definition::decide(desk.state(line.id), command)?;
        let mut done = Done::moved(line.id, before, desk.record(line.id, events));
        if created && done.change == Change::Changed {
            done.change = Change::Created;
        }
        Ok(done)
    }

    async fn write(conn: &mut PgConnection, scope: &Scope, desk: Batch<Definition<C>>) -> Result<(), Failure> {
        desk.append(conn, scope).await
    }
}
