//! The two layers between a request and its route: who calls, and whether the route lets them.

use crate::{
    bearer::Bearer,
    caller::Caller,
    customer::{Customer, KnownTokenKey},
    hosts::ShopDomain,
    key::{self, AdminKey, Digest, KnownKey},
    member::{Member, Power},
    rates::CallerRates,
    rule::Rule,
    scoped, tokens,
};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use moka::future::Cache;
use schemas::{Utc, Uuid, events::access::KeyKind, ids::TenantId};
use service::http::{Peer, ProblemResponse};
use std::{
    collections::HashSet,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// How long a key that was found is not looked up again: so long may one that was revoked still be used here.
const KEPT: Duration = Duration::from_secs(2);
/// Keys that are remembered.
const KEYS: u64 = 10_000;
/// Sessions that are remembered.
const SESSIONS: u64 = 100_000;
/// Keys whose use is noted until somebody asks.
const MOST_USED: usize = 1_000;
/// Keys that are looked up at once, so that made-up ones never take every connection of a pool.
const LOOKUPS: usize = 4;

/// A key can't be looked up at the moment; whoever looked has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

/// What a lookup gives.
pub type Found<'a, T = KnownKey> = Pin<Box<dyn Future<Output = Result<Option<T>, Unavailable>> + Send + 'a>>;

/// By what a key is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// By itself.
    Digest(Digest),
    /// By its id, which a scoped key tells.
    Id(Uuid),
}

impl Lookup {
    /// The digest in hexadecimal digits, or the id: one of them.
    #[must_use]
    pub fn either(&self) -> (Option<String>, Option<Uuid>) {
        match self {
            Self::Digest(digest) => (Some(hex::encode(digest)), None),
            Self::Id(id) => (None, Some(*id)),
        }
    }
}

/// The keys of all shops, and the sessions of their shoppers.
pub trait Keys: fmt::Debug + Send + Sync {
    /// The key of that name, unless there is none or it was revoked.
    fn find(&self, named: Lookup) -> Found<'_>;

    /// The key of that id by which access tokens are signed, unless there is none or it was revoked.
    fn token_key(&self, _kid: Uuid) -> Found<'_, KnownTokenKey> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// The end of a session, if it has ended before its time. One that began a moment ago need not be known.
    fn ended(&self, _tenant: TenantId, _session: Uuid) -> Found<'_, Ended> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// What somebody may do beyond what shoppers may, unless they have no role.
    fn power(&self, _tenant: TenantId, _user: Uuid) -> Found<'_, Power> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// A session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

/// No shop has any.
#[derive(Debug, Clone, Copy)]
struct NoKeys;

impl Keys for NoKeys {
    fn find(&self, _: Lookup) -> Found<'_> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// Finds out who calls.
#[derive(Debug, Clone)]
pub struct Callers {
    admin: AdminKey,
    keys: Arc<dyn Keys>,
    known: Cache<Lookup, Arc<KnownKey>>,
    token_keys: Cache<Uuid, Arc<KnownTokenKey>>,
    sessions: Cache<(TenantId, Uuid), bool>,
    powers: Cache<(TenantId, Uuid), Option<Power>>,
    lookups: Arc<Semaphore>,
    domain: Option<ShopDomain>,
    rates: CallerRates,
    used: Used,
}

/// Keys that were sent since somebody asked.
#[derive(Debug, Clone, Default)]
pub struct Used(Arc<Mutex<HashSet<(TenantId, Uuid)>>>);

impl Used {
    fn note(&self, key: &KnownKey) {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // There are more in the next minute.
        if used.len() < MOST_USED {
            used.insert((key.tenant, key.id));
        }
    }

    /// Those since this was called last, each once.
    #[must_use]
    pub fn take(&self) -> Vec<(TenantId, Uuid)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }
}

impl Callers {
    /// By the key of the administrators, the keys of all shops, and the hosts of shops below a domain.
    #[must_use]
    pub fn new(admin: AdminKey, keys: impl Keys + 'static, domain: Option<ShopDomain>) -> Self {
        Self {
            admin,
            domain,
            rates: CallerRates::default(),
            used: Used::default(),
            keys: Arc::new(keys),
            known: Cache::builder().max_capacity(KEYS).time_to_live(KEPT).build(),
            token_keys: Cache::builder().max_capacity(KEYS).time_to_live(KEPT).build(),
            sessions: Cache::builder().max_capacity(SESSIONS).time_to_live(KEPT).build(),
            powers: Cache::builder().max_capacity(KEYS).time_to_live(KEPT).build(),
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
        }
    }

    /// The same, with a rate for each who asks.
    #[must_use]
    pub fn with_rates(self, rates: CallerRates) -> Self {
        Self { rates, ..self }
    }

    /// Which keys were sent.
    #[must_use]
    pub fn used(&self) -> Used {
        self.used.clone()
    }

    /// Administrators, and nobody else.
    #[must_use]
    pub fn administrators(admin: AdminKey) -> Self {
        Self::new(admin, NoKeys, None)
    }

    /// The host of a shop, if shops have hosts.
    #[must_use]
    pub fn host_of(&self, slug: &str) -> Option<String> {
        self.domain.as_ref().map(|domain| domain.host_of(slug))
    }

    /// Who sends this key.
    pub async fn who(&self, sent: &str) -> Caller {
        let digest = key::digest(sent);
        if self.admin.is(&digest) {
            return Caller::Admin;
        }
        if let Some(kid) = tokens::unverified_kid(sent) {
            return self.of_token(sent, kid).await.unwrap_or(Caller::Unavailable);
        }
        let (now, scoped) = (Utc::now(), scoped::parts(sent));
        let named = match &scoped {
            Some(parts) => Lookup::Id(parts.id),
            None if key::is_well_formed(sent) => Lookup::Digest(digest),
            None => return Caller::Unknown,
        };
        let known = match self.find(named).await {
            Ok(Some(known)) if !known.is_over(now) => known,
            Ok(_) => return Caller::Unknown,
            Err(Unavailable) => return Caller::Unavailable,
        };
        match scoped {
            None => Caller::Key(known),
            Some(parts) if known.kind == KeyKind::Search => match parts.verified(&known, now) {
                Ok(restriction) => Caller::Scoped(known, Arc::new(restriction)),
                Err(_) => Caller::Unknown,
            },
            Some(_) => Caller::Unknown,
        }
    }

    /// Who sends an access token that names this key. A session is looked up only for what the key has signed; of a guest
    /// there is nothing to look up.
    async fn of_token(&self, sent: &str, kid: Uuid) -> Result<Caller, Unavailable> {
        let Some(key) = self.token_key(kid).await? else { return Ok(Caller::Unknown) };
        let customer = match Bearer::read(sent, kid, &key, Utc::now()) {
            Ok(Bearer::Customer(customer)) => customer,
            Ok(Bearer::Guest(guest)) => return Ok(Caller::Guest(guest)),
            Err(_) => return Ok(Caller::Unknown),
        };
        let Customer { tenant, session, .. } = customer;
        let has_ended = match self.sessions.get(&(tenant, session)).await {
            Some(known) => known,
            None => {
                let found = self.keys.ended(tenant, session).await?.is_some();
                self.sessions.insert((tenant, session), found).await;
                found
            }
        };
        if has_ended {
            return Ok(Caller::Unknown);
        }
        let power = if customer.is_strong { self.power(tenant, customer.user).await? } else { None };
        Ok(power.map_or(Caller::Customer(customer), |power| Caller::Member(Arc::new(Member { customer, power }))))
    }

    async fn power(&self, tenant: TenantId, user: Uuid) -> Result<Option<Power>, Unavailable> {
        if let Some(known) = self.powers.get(&(tenant, user)).await {
            return Ok(known);
        }
        let found = self.keys.power(tenant, user).await?;
        self.powers.insert((tenant, user), found.clone()).await;
        Ok(found)
    }

    async fn token_key(&self, kid: Uuid) -> Result<Option<Arc<KnownTokenKey>>, Unavailable> {
        if let Some(known) = self.token_keys.get(&kid).await {
            return Ok(Some(known));
        }
        let _place = self.lookups.acquire().await;
        if let Some(known) = self.token_keys.get(&kid).await {
            return Ok(Some(known));
        }
        let Some(found) = self.keys.token_key(kid).await? else { return Ok(None) };
        let found = Arc::new(found);
        self.token_keys.insert(kid, Arc::clone(&found)).await;
        Ok(Some(found))
    }

    async fn find(&self, named: Lookup) -> Result<Option<Arc<KnownKey>>, Unavailable> {
        if let Some(known) = self.known.get(&named).await {
            return Ok(Some(known));
        }
        let _place = self.lookups.acquire().await;
        // Another request may have found it meanwhile.
        if let Some(known) = self.known.get(&named).await {
            return Ok(Some(known));
        }
        let Some(found) = self.keys.find(named).await? else { return Ok(None) };
        // A key is looked up again every other second, so it is noted as often, and not with each request.
        self.used.note(&found);
        let found = Arc::new(found);
        self.known.insert(named, Arc::clone(&found)).await;
        Ok(Some(found))
    }
}

/// Middleware of a process: finds out who calls (`middleware::from_fn_with_state(callers, guard::identify)`).
pub async fn identify(State(callers): State<Callers>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = match key::sent(&parts.headers) {
        None => {
            callers.domain.as_ref().and_then(|domain| domain.slug(&parts)).map_or(Caller::Anonymous, Caller::Visitor)
        }
        Some(sent) => callers.who(sent).await,
    };
    if let Err(problem) = callers.rates.take(&caller, parts.extensions.get().map(|Peer(address)| *address)) {
        return ProblemResponse(problem).into_response();
    }
    parts.extensions.insert(caller);
    next.run(Request::from_parts(parts, body)).await
}

/// Middleware of a route, put there by [`crate::Routes`]. A process that does not say who calls lets nobody in.
pub(crate) async fn admit(State(rule): State<Rule>, mut request: Request, next: Next) -> Response {
    if rule == Rule::Named && request.extensions().get() == Some(&Caller::Anonymous) {
        request.extensions_mut().insert(Caller::Newcomer);
    }
    let checked = rule.check(request.extensions().get().unwrap_or(&Caller::Unknown));
    match checked {
        Ok(()) => next.run(request).await,
        Err(denied) => denied.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Knows one key, and counts how often it is asked.
    #[derive(Debug)]
    struct One {
        digest: Digest,
        expires_in: i64,
        asked: Arc<AtomicUsize>,
    }

    impl Keys for One {
        fn find(&self, named: Lookup) -> Found<'_> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let known = KnownKey {
                id: Uuid::nil(),
                tenant: TenantId(Uuid::nil()),
                kind: KeyKind::Staff,
                permissions: Vec::new(),
                signing_key: None,
                expires_at: Some(Utc::now() + schemas::TimeDelta::seconds(self.expires_in)),
            };
            Box::pin(std::future::ready(Ok((named == Lookup::Digest(self.digest)).then_some(known))))
        }
    }

    fn callers(expires_in: i64) -> (Callers, String, Arc<AtomicUsize>) {
        let (key, asked) = (key::text(KeyKind::Staff, [7; 32]), Arc::new(AtomicUsize::new(0)));
        let one = One { digest: key::digest(&key), expires_in, asked: Arc::clone(&asked) };
        (Callers::new(AdminKey::new(Some("k")), one, None), key, asked)
    }

    #[tokio::test]
    async fn a_key_is_looked_up_once_in_a_while_and_what_is_none_never() {
        let (callers, key, asked) = callers(60);
        assert_eq!(callers.who("k").await, Caller::Admin);
        assert_eq!(callers.who("souk_staff_short").await, Caller::Unknown);
        assert_eq!(asked.load(Ordering::Relaxed), 0, "none of these is a shop's");
        for _ in 0..3 {
            assert!(matches!(callers.who(&key).await, Caller::Key(_)));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let used = callers.used();
        assert_eq!((used.take().len(), used.take().len()), (1, 0), "its use is noted once");
        assert_eq!(callers.who(&key::text(KeyKind::Staff, [8; 32])).await, Caller::Unknown);
    }

    #[tokio::test]
    async fn a_key_that_has_expired_is_none() {
        let (callers, key, _) = callers(-1);
        assert_eq!(callers.who(&key).await, Caller::Unknown);
    }
}
