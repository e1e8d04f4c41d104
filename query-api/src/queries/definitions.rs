//! What staff have defined to steer a tenant's search, read when it changes.

use crate::{
    changes::Change,
    ranking::{WrongSetting, overlaid},
};
use schemas::{
    events::merchandising::{Experiment, ExperimentArm, FacetDisplay, Rule, SynonymSet},
    ids::TenantId,
};
use search::{
    analyzer,
    bundle::{Analysis, Bundle},
    generation::{Manifest, Ranking},
    synonyms::Synonyms,
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

/// What a tenant's staff have written, by kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// Words that mean each other.
    pub synonyms: Vec<Named<SynonymSet>>,
    /// What happens on certain searches.
    pub rules: Vec<Named<Rule>>,
    /// Which facets are shown.
    pub facets: Vec<Named<FacetDisplay>>,
    /// Ranking settings that are tried.
    pub experiments: Vec<Named<Experiment>>,
    /// How its words are read.
    pub analysis: Analysis,
}

impl Written {
    /// Adds what a bundle defines under names that staff have not used, and how it reads words.
    fn beneath(&mut self, bundle: &Bundle) {
        self.analysis = bundle.analyzer.clone();
        for (name, content) in &bundle.synonyms {
            if self.synonyms.iter().all(|known| known.name != *name) {
                self.synonyms.push(Named { name: name.clone(), content: content.clone() });
            }
        }
        for (name, content) in &bundle.rules {
            if self.rules.iter().all(|known| known.name != *name) {
                self.rules.push(Named { name: name.clone(), content: content.clone() });
            }
        }
    }
}

/// A rule with the words of its query, as a search's are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadRule {
    /// Its name.
    pub name: String,
    /// The rule.
    pub rule: Rule,
    /// The words; none if it has no query.
    pub words: Vec<String>,
}

/// Everything a tenant has defined, read once for all searches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    written: Written,
    /// The synonyms, as terms.
    pub synonyms: Arc<Synonyms>,
    /// The rules in the order they run.
    pub rules: Vec<ReadRule>,
    /// Differs when anything of it differs; part of cache keys.
    pub stamp: String,
}

impl Definitions {
    /// Reads what was written.
    #[must_use]
    pub fn of(mut written: Written, stamp: String) -> Self {
        written.rules.sort_by_key(|rule| (rule.content.priority, rule.name.clone()));
        let mut synonyms = Synonyms::of_texts(&written.analysis);
        for Named { content, .. } in &written.synonyms {
            match content {
                SynonymSet::MultiWay { terms } => synonyms.multi_way(terms),
                SynonymSet::OneWay { from, to } => synonyms.one_way(from, to),
            }
        }
        let read = |Named { name, content: rule }: &Named<Rule>| {
            let words = rule.when.query.as_ref().map(|query| words(&query.text)).unwrap_or_default();
            ReadRule { name: name.clone(), rule: rule.clone(), words }
        };
        let rules = written.rules.iter().map(read).collect();
        Self { written, synonyms: Arc::new(synonyms), rules, stamp }
    }

    /// Which facets are shown.
    #[must_use]
    pub fn facets(&self) -> &[Named<FacetDisplay>] {
        &self.written.facets
    }

    /// Ranking settings that are tried.
    #[must_use]
    pub fn experiments(&self) -> &[Named<Experiment>] {
        &self.written.experiments
    }

    /// These with drafts put over them, by kind and name.
    ///
    /// # Errors
    /// Where a draft can't be read, and why.
    pub fn with_drafts(&self, drafts: &Map<String, Value>) -> Result<Self, (String, String)> {
        let mut all = self.written.clone();
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
        Ok(Self::of(all, format!("{} preview", self.stamp)))
    }
}

/// The words of a query or of a rule's.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    analyzer::terms(&mut analyzer::plain(), text)
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

/// By tenant and generation.
type Known = HashMap<(TenantId, String), (u64, Arc<Definitions>)>;

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

    /// A tenant's definitions, and beneath them those of a generation's bundle. `newest`: those of this moment, since a reader that has waited for a token must
    /// not get older ones because a signal is still on its way.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(
        &self,
        tenant: TenantId,
        newest: bool,
        manifest: &Manifest,
    ) -> Result<Arc<Definitions>, sqlx::Error> {
        let change = *self.changes.borrow();
        let key = (tenant, manifest.generation.clone());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
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
            _ => Arc::new(self.read(tenant, stamp, &manifest.bundle).await?),
        };
        let kept = (change.version, Arc::clone(&definitions));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, kept);
        Ok(definitions)
    }

    /// Versions only grow, and what is removed keeps its row.
    async fn stamp(&self, tenant: TenantId) -> Result<String, sqlx::Error> {
        sqlx::query_scalar("SELECT concat(count(*), '-', sum(version)) FROM merchandising WHERE tenant_id = $1")
            .bind(tenant.uuid())
            .fetch_one(&self.pool)
            .await
    }

    async fn read(&self, tenant: TenantId, stamp: String, bundle: &Bundle) -> Result<Definitions, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT kind, name, body FROM merchandising WHERE tenant_id = $1 AND body IS NOT NULL ORDER BY kind, name",
        )
        .bind(tenant.uuid())
        .fetch_all(&self.pool)
        .await?;
        let mut written = Written::default();
        for row in rows {
            let (kind, name): (String, String) = (row.try_get("kind")?, row.try_get("name")?);
            let body: Value = row.try_get("body")?;
            match kind.as_str() {
                "synonyms" => written.synonyms.extend(named(name, body)),
                "rules" => written.rules.extend(named(name, body)),
                "facets" => written.facets.extend(named(name, body)),
                "experiments" => written.experiments.extend(named(name, body)),
                _ => {}
            }
        }
        written.beneath(bundle);
        for Named { name, content } in &written.experiments {
            for arm in &content.arms {
                if let Err(error) = settings(arm) {
                    tracing::error!(%error, experiment = name, arm = arm.name, "an arm's ranking settings are ignored");
                }
            }
        }
        Ok(Definitions::of(written, stamp))
    }
}

/// The ranking settings of an arm.
///
/// # Errors
/// [`WrongSetting`], if a setting isn't there or can't have that value; no generation's others are then used either,
/// since an arm with some of its settings would be another experiment.
pub fn settings(arm: &ExperimentArm) -> Result<Map<String, Value>, WrongSetting> {
    let settings = arm.ranking.iter().map(|(name, value)| (name.clone(), Value::from(*value))).collect();
    overlaid(Ranking::default(), &settings)?;
    Ok(settings)
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
