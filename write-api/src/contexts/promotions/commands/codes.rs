//! Adding, drawing and disabling codes.

use super::promotion_id;
use crate::{
    contexts::promotions::{
        domain::{Code, CodeList, CodeListCommand, Promotion, Recipe, code::CODES_OF_AN_EVENT, code_list::CodeChange},
        table::{
            codes::{self, KnownCode},
            lookup,
        },
    },
    domain::{Aggregate, Name},
    pipeline::{
        Change, Error, Expected, Rejection, Scope, Stored,
        idempotency::{self, Key},
        identity,
        procedure::Procedure,
    },
};
use schemas::{
    Uuid,
    contexts::Context,
    ids::{PromotionId, TenantId},
    problem::{self, FieldError, Problem},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// How often codes are drawn again for those that were taken.
const ROUNDS: usize = 10;

/// What is asked for.
#[derive(Debug, Clone)]
pub(in super::super) enum Asked {
    /// These codes are the promotion's.
    Add(Vec<Code>),
    /// So many are drawn.
    Generate(Recipe),
    /// This one can't be used any more.
    Disable(Code),
}

/// A command to the codes of a promotion.
#[derive(Debug, Clone)]
pub(in super::super) struct Codes {
    pub(in super::super) promotion: Name,
    pub(in super::super) asked: Asked,
    pub(in super::super) key: Option<Key>,
}

/// What was done, as it is kept with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct CodesDone {
    pub(in super::super) list: Uuid,
    pub(in super::super) version: u64,
    pub(in super::super) change: Change,
    /// How many are new.
    pub(in super::super) added: usize,
    /// How many the promotion has.
    pub(in super::super) codes: u64,
    /// What those that were drawn have in common.
    pub(in super::super) batch: Option<Uuid>,
    /// Whether it was done before, under the same key.
    #[serde(skip)]
    pub(in super::super) is_replayed: bool,
}

impl Procedure for Codes {
    const CONTEXT: Context = Context::Promotions;
    type Output = CodesDone;

    fn name(&self) -> &'static str {
        match self.asked {
            Asked::Add(_) => "add_codes",
            Asked::Generate(_) => "generate_codes",
            Asked::Disable(_) => "disable_code",
        }
    }

    fn outcome(change: Change, done: &CodesDone) -> &'static str {
        if done.is_replayed { "replayed" } else { change.as_str() }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, CodesDone), Error> {
        let key = self.key.as_ref();
        if let Some(done) = idempotency::claim::<CodesDone>(conn, Self::CONTEXT, scope, key).await? {
            return Ok((Change::Unchanged, CodesDone { is_replayed: true, ..done }));
        }
        let id = promotion_id(scope.tenant, self.promotion.as_str());
        let promotion = self.promotion(conn, scope, id).await?;
        let list = identity::named(scope.tenant, &["code_list", self.promotion.as_str()]);
        // Locked, so that the commands about codes of one promotion follow each other.
        let mut lists = CodeList::load(conn, scope, &[list]).await?;
        let (change, added, batch) = match &self.asked {
            Asked::Add(wanted) => {
                let new = add(conn, scope.tenant, id, wanted).await?;
                let added = new.len();
                ((added > 0).then_some(CodeChange::Add(new)), added, None)
            }
            Asked::Generate(recipe) => {
                let (batch, drawn) = (scope.clock.id(), draw(conn, scope, id, recipe).await?);
                let added = drawn.len();
                (Some(CodeChange::Generate(batch, drawn)), added, Some(batch))
            }
            Asked::Disable(code) => (disable(conn, scope.tenant, id, code).await?, 0, None),
        };
        let done = lists.carry_out(list, Expected::Any, |lists| {
            let Some(change) = change else { return Ok(Vec::new()) };
            let command = CodeListCommand { promotion_id: id, promotion: promotion.name, change };
            Ok(CodeList::decide(lists.state(list), command)?)
        })?;
        let codes = lists.state(list).map_or(0, |list| list.codes);
        lists.append(conn, scope).await?;
        let (version, change) = (done.version, done.change);
        let done = CodesDone { list, version, change, added, codes, batch, is_replayed: false };
        idempotency::keep(conn, Self::CONTEXT, scope, key, &done).await?;
        Ok((change, done))
    }
}

impl Codes {
    /// The promotion, if it may have such a command.
    async fn promotion(&self, conn: &mut PgConnection, scope: &Scope, id: PromotionId) -> Result<Promotion, Error> {
        match self.asked {
            Asked::Add(_) | Asked::Generate(_) => lookup::use_of(conn, &BTreeSet::from([id])).await?,
            // Uses by the code that are under way end first.
            Asked::Disable(_) => lookup::change_of(conn, id.uuid()).await?,
        }
        let found = lookup::by_id(conn, scope.tenant, &BTreeSet::from([id])).await?.remove(&id);
        let (_, promotion) = found.ok_or_else(|| Rejection::not_found("the shop has no promotion of this name"))?;
        let adds = !matches!(self.asked, Asked::Disable(_));
        // Codes are rows: the state of their list does not tell how much they are.
        if let Some(full) = scope.allowance.full().filter(|_| adds) {
            return Err(full.into());
        }
        if adds && promotion.is_ended {
            let detail = "define the promotion again before it gets codes";
            return Err(Rejection::of(Problem::new(problem::Code::PromotionEnded).detail(detail)).into());
        }
        if adds && !promotion.needs_code {
            let detail = "it counts without a code; define it with `needs_code` before it gets codes";
            return Err(Rejection::of(Problem::new(problem::Code::PromotionNeedsNoCode).detail(detail)).into());
        }
        Ok(promotion)
    }
}

/// Gives codes to the promotion; gives those that it had not yet.
///
/// # Errors
/// Those that belong to another promotion or were disabled, by pointer.
async fn add(
    conn: &mut PgConnection,
    tenant: TenantId,
    promotion: PromotionId,
    wanted: &[Code],
) -> Result<Vec<Code>, Error> {
    let sorted: Vec<Code> = BTreeSet::from_iter(wanted.iter().cloned()).into_iter().collect();
    let new = codes::add(conn, tenant, promotion, &sorted).await?;
    let (added, old): (Vec<Code>, Vec<Code>) = sorted.into_iter().partition(|code| new.contains(code.as_str()));
    let old: Vec<&str> = old.iter().map(Code::as_str).collect();
    let known = codes::find(conn, tenant, &old).await?;
    let errors = taken(wanted, promotion, &known);
    if errors.is_empty() {
        return Ok(added);
    }
    Err(Rejection::of(Problem::new(problem::Code::CodeTaken).errors(errors)).into())
}

/// What is wrong with codes that are there already.
fn taken(wanted: &[Code], promotion: PromotionId, known: &BTreeMap<String, KnownCode>) -> Vec<FieldError> {
    let wrong = |(at, code): (usize, &Code)| {
        let known = known.get(code.as_str())?;
        let detail = if known.promotion_id != promotion {
            "the code belongs to another promotion of the shop"
        } else if known.is_disabled {
            "the code was disabled, and is not given again"
        } else {
            return None;
        };
        Some(FieldError::new(format!("/codes/{at}"), detail))
    };
    wanted.iter().enumerate().filter_map(wrong).take(50).collect()
}

/// Draws codes that nobody has yet.
///
/// # Errors
/// If too few of that form are left.
async fn draw(
    conn: &mut PgConnection,
    scope: &Scope,
    promotion: PromotionId,
    recipe: &Recipe,
) -> Result<Vec<Code>, Error> {
    let wanted = usize::try_from(recipe.count).unwrap_or(usize::MAX);
    let mut drawn = Vec::with_capacity(wanted);
    for _ in 0..ROUNDS {
        let missing = wanted - drawn.len();
        let more: BTreeSet<Code> = (0..missing).map(|_| recipe.draw(|| scope.clock.secret())).collect();
        let more: Vec<Code> = more.into_iter().collect();
        for part in more.chunks(CODES_OF_AN_EVENT) {
            let new = codes::add(conn, scope.tenant, promotion, part).await?;
            drawn.extend(part.iter().filter(|code| new.contains(code.as_str())).cloned());
        }
        if drawn.len() == wanted {
            return Ok(drawn);
        }
    }
    let detail = "too few codes of this form are left; ask for longer ones, or another prefix";
    Err(Rejection::of(Problem::new(problem::Code::TooManyCodes).detail(detail)).into())
}

/// Disables a code of the promotion, unless it is.
async fn disable(
    conn: &mut PgConnection,
    tenant: TenantId,
    promotion: PromotionId,
    code: &Code,
) -> Result<Option<CodeChange>, Error> {
    let known = codes::find(conn, tenant, &[code.as_str()]).await?;
    match known.get(code.as_str()).filter(|known| known.promotion_id == promotion) {
        None => Err(Rejection::not_found("the promotion has no such code").into()),
        Some(known) if known.is_disabled => Ok(None),
        Some(_) => {
            codes::disable(conn, tenant, code).await?;
            Ok(Some(CodeChange::Disable(code.clone())))
        }
    }
}
