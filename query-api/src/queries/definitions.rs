//! What staff have defined to steer a tenant's search, read when it changes.

use crate::changes::Change;
use schemas::{
    events::merchandising::{Experiment, FacetDisplay, Rule, SynonymSet},
    ids::TenantId,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sqlx::{PgPool, Row};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// A definition under its name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Named<T> {
    /// The name.
    pub name: String,
    /// What is defined.
    pub content: T,
}

/// Everything a tenant has defined, rules in the order they run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    /// Words that mean each other.
    pub synonyms: Vec<Named<SynonymSet>>,
    /// What happens on certain searches.
    pub rules: Vec<Named<Rule>>,
    /// Which facets are shown.
    pub facets: Vec<Named<FacetDisplay>>,
    /// Ranking settings that are tried.
    pub experiments: Vec<Named<Experiment>>,
    /// Differs when anything of it differs; part of cache keys.
    pub stamp: String,
}

impl Definitions {
    /// These with drafts put over them, by kind and name.
    ///
    /// # Errors
    /// Where a draft can't be read, and why.
    pub fn with_drafts(&self, drafts: &Map<String, Value>) -> Result<Self, (String, String)> {
        let mut all = Self { stamp: format!("{} preview", self.stamp), ..self.clone() };
        for (kind, drafts) in drafts {
            let pointer = format!("preview/{kind}");
            let Value::Object(drafts) = drafts else {
                return Err((pointer, "an object of drafts by name is expected".to_owned()));
            };
            for (name, draft) in drafts {
                let pointer = format!("{pointer}/{name}");
                match kind.as_str() {
                    "synonyms" => put(&mut all.synonyms, name, draft, pointer)?,
                    "rules" => put(&mut all.rules, name, draft, pointer)?,
                    "facets" => put(&mut all.facets, name, draft, pointer)?,
                    "experiments" => put(&mut all.experiments, name, draft, pointer)?,
                    _ => return Err((pointer, "there are synonyms, rules, facets and experiments".to_owned())),
                }
            }
        }
        all.rules.sort_by_key(|rule| (rule.content.priority, rule.name.clone()));
        Ok(all)
    }
}

fn put<T: DeserializeOwned>(
    all: &mut Vec<Named<T>>,
    name: &str,
    draft: &Value,
    pointer: String,
) -> Result<(), (String, String)> {
    let content = serde_json::from_value(draft.clone()).map_err(|error| (pointer, error.to_string()))?;
    all.retain(|known| known.name != name);
    all.push(Named { name: name.to_owned(), content });
    Ok(())
}

type Known = HashMap<TenantId, (u64, Arc<Definitions>)>;

/// Definitions by tenant, as of the last change of the views.
#[derive(Debug, Clone)]
pub struct Defined {
    pool: PgPool,
    changes: watch::Receiver<Change>,
    known: Arc<Mutex<Known>>,
}

impl Defined {
    /// Nothing read yet.
    #[must_use]
    pub fn new(pool: PgPool, changes: watch::Receiver<Change>) -> Self {
        Self { pool, changes, known: Arc::default() }
    }

    /// A tenant's definitions. `newest`: those of this moment, since a reader that has waited for a token must
    /// not get older ones because a signal is still on its way.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(&self, tenant: TenantId, newest: bool) -> Result<Arc<Definitions>, sqlx::Error> {
        let change = *self.changes.borrow();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        if let Some((version, definitions)) = &known
            && change.heard
            && !newest
            && *version == change.version
        {
            return Ok(Arc::clone(definitions));
        }
        let stamp = self.stamp(tenant).await?;
        let definitions = match known {
            Some((_, known)) if known.stamp == stamp => known,
            _ => Arc::new(self.read(tenant, stamp).await?),
        };
        let kept = (change.version, Arc::clone(&definitions));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, kept);
        Ok(definitions)
    }

    /// Versions only grow, and what is removed keeps its row.
    async fn stamp(&self, tenant: TenantId) -> Result<String, sqlx::Error> {
        sqlx::query_scalar("SELECT concat(count(*), '-', sum(version)) FROM merchandising WHERE tenant_id = $1")
            .bind(tenant.uuid())
            .fetch_one(&self.pool)
            .await
    }

    async fn read(&self, tenant: TenantId, stamp: String) -> Result<Definitions, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT kind, name, body FROM merchandising WHERE tenant_id = $1 AND body IS NOT NULL ORDER BY kind, name",
        )
        .bind(tenant.uuid())
        .fetch_all(&self.pool)
        .await?;
        let mut definitions = Definitions { stamp, ..Definitions::default() };
        for row in rows {
            let (kind, name): (String, String) = (row.try_get("kind")?, row.try_get("name")?);
            let body: Value = row.try_get("body")?;
            match kind.as_str() {
                "synonyms" => definitions.synonyms.extend(named(name, body)),
                "rules" => definitions.rules.extend(named(name, body)),
                "facets" => definitions.facets.extend(named(name, body)),
                "experiments" => definitions.experiments.extend(named(name, body)),
                _ => {}
            }
        }
        definitions.rules.sort_by_key(|rule| (rule.content.priority, rule.name.clone()));
        Ok(definitions)
    }
}

/// A definition that this program can't read is left out, and said so: another one's search must not fail.
fn named<T: DeserializeOwned>(name: String, body: Value) -> Option<Named<T>> {
    match serde_json::from_value(body) {
        Ok(content) => Some(Named { name, content }),
        Err(error) => {
            tracing::error!(%error, name, "a merchandising definition can't be read");
            None
        }
    }
}
