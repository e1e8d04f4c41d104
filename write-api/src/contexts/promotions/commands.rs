//! Defining and ending promotions; their codes are in [`codes`].

pub(super) mod codes;

pub(super) use super::table::lookup::promotion_id;

use super::{
    domain::{Checked, Promotion, PromotionCommand},
    table::lookup,
};
use crate::{
    domain::Name,
    pipeline::{Expected, Failure, Loaded, Rejection, Scope, UseCase},
};
use schemas::{Uuid, ids::PromotionId};
use sqlx::PgConnection;

/// What becomes of a promotion.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// It is this.
    Defined(Name, Box<Checked>),
    /// Staff end it.
    Ended,
    /// It ends if its span is over.
    Expired,
}

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct PromotionRequest {
    pub(super) id: PromotionId,
    pub(super) expected: Expected,
    pub(super) wanted: Wanted,
}

/// Defining or ending a promotion.
pub(super) struct Define;

/// Promotions that are defined or ended.
pub(super) type Promotions = Loaded<Define>;

/// How many of the shop's promotions have not ended, and the time.
pub(super) struct DefineFacts {
    open: i64,
    now: schemas::Timestamp,
}

impl UseCase for Define {
    type Aggregate = Promotion;
    type Input = PromotionRequest;
    type Facts = DefineFacts;

    fn name(request: &PromotionRequest) -> &'static str {
        match request.wanted {
            Wanted::Defined(..) => "define_promotion",
            Wanted::Ended => "end_promotion",
            Wanted::Expired => "expire_promotion",
        }
    }

    fn expected(request: &PromotionRequest) -> Expected {
        request.expected
    }

    async fn facts(
        conn: &mut PgConnection,
        scope: &Scope,
        requests: &[&PromotionRequest],
    ) -> Result<DefineFacts, Failure> {
        let mut facts = DefineFacts { open: 0, now: scope.now };
        for request in requests {
            // Uses that are under way end first; those that come see the change.
            lookup::change_of(conn, request.id.uuid()).await?;
            if matches!(request.wanted, Wanted::Defined(..)) {
                facts.open = lookup::open(conn, scope.tenant).await?;
            }
        }
        Ok(facts)
    }

    fn target(_: &DefineFacts, request: &PromotionRequest) -> Result<Uuid, Rejection> {
        Ok(request.id.uuid())
    }

    fn plan(facts: &DefineFacts, request: &PromotionRequest) -> Result<PromotionCommand, Rejection> {
        Ok(match &request.wanted {
            Wanted::Defined(name, content) => PromotionCommand::Define {
                promotion_id: request.id,
                name: name.clone(),
                content: content.clone(),
                open: facts.open,
            },
            Wanted::Ended => PromotionCommand::End,
            Wanted::Expired => PromotionCommand::Expire(facts.now),
        })
    }
}
