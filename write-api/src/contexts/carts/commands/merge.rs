//! A customer takes over what they had in a cart as a guest.

use super::missing;
use crate::{
    contexts::carts::{
        domain::{Cart, CartCommand},
        table,
    },
    domain::Aggregate,
    pipeline::{
        Change, Done, Error, Expected, Scope, Stored,
        idempotency::{self, Key},
        procedure::Procedure,
    },
};
use schemas::{
    Uuid,
    buyer::Buyer,
    contexts::Context,
    events::carts::{CartEnd, CartsEvent, MergeNotice},
    token::Token,
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// The cart that the guest has now is put into one of the customer's, and ends.
pub(in super::super) struct Merge {
    pub(in super::super) key: Option<Key>,
    pub(in super::super) into: Uuid,
    pub(in super::super) by: Buyer,
    pub(in super::super) expected: Expected,
    pub(in super::super) guest: Buyer,
}

/// What came of it, now or when it came first. As JSON it is kept with the idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Merged {
    pub(in super::super) done: Done,
    pub(in super::super) notices: Vec<MergeNotice>,
    /// The guest's cart with its last version, if there was one.
    other: Option<(Uuid, u64)>,
    /// The command was carried out before, under the same idempotency key.
    #[serde(skip)]
    pub(in super::super) replayed: bool,
}

impl Merged {
    /// The token by which reads see both carts as they are.
    pub(in super::super) fn token(&self) -> Token {
        let mut token = Token::of(Context::Carts, self.done.id, self.done.version);
        if let Some((other, version)) = self.other {
            token.add(Context::Carts, other, version);
        }
        token
    }
}

impl Procedure for Merge {
    const CONTEXT: Context = Context::Carts;
    type Output = Merged;

    fn name(&self) -> &'static str {
        "merge_carts"
    }

    fn outcome(change: Change, merged: &Merged) -> &'static str {
        if merged.replayed { "replayed" } else { change.as_str() }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Merged), Error> {
        let key = self.key.as_ref();
        if let Some(merged) = idempotency::claim::<Merged>(conn, Self::CONTEXT, scope, key).await? {
            return Ok((Change::Unchanged, Merged { replayed: true, ..merged }));
        }
        let merged = self.merge(conn, scope).await?;
        idempotency::keep(conn, Self::CONTEXT, scope, key, &merged).await?;
        Ok((merged.done.change, merged))
    }
}

impl Merge {
    async fn merge(&self, conn: &mut PgConnection, scope: &Scope) -> Result<Merged, Error> {
        let owners = table::owners(&mut *conn, scope.tenant, &[self.into]).await?;
        if owners.get(&self.into) != Some(&self.by) {
            return Err(missing().into());
        }
        let other = table::current(&mut *conn, scope.tenant, self.guest).await?;
        let ids: Vec<Uuid> = [Some(self.into), other].into_iter().flatten().collect();
        let mut carts = Cart::load(conn, scope, &ids).await?;
        let loaded = other.and_then(|id| Some((id, carts.state(id)?.clone())));
        let done = carts.carry_out(self.into, self.expected, |carts| match &loaded {
            // There is nothing to take over, or it was taken over before.
            None => Ok(vec![]),
            Some((id, cart)) => {
                Ok(Cart::decide(carts.state(self.into), CartCommand::Merge(*id, Box::new(cart.clone())))?)
            }
        })?;
        let mut merged = Merged { done, notices: Vec::new(), other: None, replayed: false };
        if let Some((id, _)) = loaded {
            let end = CartCommand::End(CartEnd::Merged { into: self.into });
            let ended = carts.carry_out(id, Expected::Any, |carts| Ok(Cart::decide(carts.state(id), end)?))?;
            merged.other = Some((id, ended.version));
        }
        merged.notices = carts.events().find_map(notices).unwrap_or_default();
        carts.append(conn, scope).await?;
        Ok(merged)
    }
}

fn notices(event: &CartsEvent) -> Option<Vec<MergeNotice>> {
    if let CartsEvent::Merged(merged) = event { Some(merged.notices.clone()) } else { None }
}
