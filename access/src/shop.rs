//! The shop that a request is about: that of the key or the host, with which headers and address have to agree. An
//! administrator of the installation names one. The same for commands and reads.

use crate::{
    caller::{Caller, ShopOf},
    rates::Rates,
};
use axum::http::HeaderMap;
use schemas::{
    Timestamp,
    events::tenants::Quotas,
    ids::TenantId,
    problem::{Code, FieldError, Problem},
};
use std::sync::Arc;

/// The headers that name a shop.
const ID: &str = "x-tenant-id";
const SLUG: &str = "x-tenant-slug";

/// How a request names a shop.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TenantName {
    /// By its id.
    Id(TenantId),
    /// By its slug.
    Slug(String),
}

impl From<ShopOf<'_>> for TenantName {
    fn from(shop: ShopOf<'_>) -> Self {
        match shop {
            ShopOf::Id(id) => Self::Id(id),
            ShopOf::Slug(slug) => Self::Slug(slug.to_owned()),
        }
    }
}

impl std::fmt::Display for TenantName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => slug.fmt(f),
        }
    }
}

/// A tenant, as a request has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTenant {
    /// Its id.
    pub id: TenantId,
    /// Why it is closed to everybody but administrators, if it is.
    pub suspended: Option<Arc<str>>,
    /// The origins whose pages may read its answers; none if it names none.
    pub origins: Arc<[String]>,
    /// How much it may have and ask for.
    pub quotas: Quotas,
    /// What it has, where that is known: when it was measured last.
    pub usage: Option<Usage>,
}

/// What a shop has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Products.
    pub products: u64,
    /// Bytes of states in the write database.
    pub bytes: u64,
    /// When that was.
    pub measured_at: Timestamp,
}

/// The tenants that there are.
pub trait Tenants {
    /// Why one can't be looked up, or may not be used.
    type Error: From<Problem>;

    /// The tenant of a name, if there is one.
    fn find(&self, name: &TenantName) -> impl Future<Output = Result<Option<FoundTenant>, Self::Error>> + Send;
}

/// The shops that a request names besides its key and its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    header: Option<TenantName>,
    address: Option<String>,
}

impl Named {
    /// By one of the headers `X-Tenant-Id` and `X-Tenant-Slug`, and by the slug in the address.
    ///
    /// # Errors
    /// If both headers are there, or one can't be read.
    pub fn of(headers: &HeaderMap, address: Option<String>) -> Result<Self, Problem> {
        let header = match (text(headers, ID)?, text(headers, SLUG)?) {
            (None, None) => None,
            (None, Some(slug)) => Some(TenantName::Slug(slug.to_owned())),
            (Some(id), None) => {
                Some(TenantName::Id(id.parse().map_err(|_| unreadable("X-Tenant-Id", "a UUID is expected"))?))
            }
            (Some(_), Some(_)) => {
                return Err(required("send one of the headers X-Tenant-Id and X-Tenant-Slug, not both"));
            }
        };
        Ok(Self { header, address })
    }

    /// The shop that a header names.
    #[must_use]
    pub const fn header(&self) -> Option<&TenantName> {
        self.header.as_ref()
    }

    /// Every name there is.
    pub fn names(&self) -> impl Iterator<Item = TenantName> {
        self.header.clone().into_iter().chain(self.address.clone().map(TenantName::Slug))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let value = headers.get(name).map(|value| value.to_str()).transpose();
    value.map_err(|_| unreadable(name, "it holds characters that are not visible ASCII"))
}

fn unreadable(header: &str, detail: &str) -> Problem {
    Problem::new(Code::InvalidRequest).errors(vec![FieldError::new(header, detail)])
}

fn required(detail: &str) -> Problem {
    Problem::new(Code::TenantRequired).detail(detail)
}

/// The address names this tenant, and a header another one.
#[must_use]
pub fn conflict(slug: &str) -> Problem {
    let detail = format!("the address names the tenant `{slug}`, and a header another one");
    Problem::new(Code::TenantConflict).detail(detail)
}

fn unknown(name: &TenantName) -> Problem {
    Problem::new(Code::TenantNotFound).detail(format!("no tenant `{name}` is known here"))
}

/// The shop of a request, which is counted unless an administrator makes it. Whether there is a shop that is not the
/// caller's own is not told.
///
/// # Errors
/// As a problem: none is named, two that differ are, there is no such shop for the caller, it is suspended, or it makes
/// too many requests.
pub async fn of<T: Tenants>(
    tenants: &T,
    rates: &Rates,
    caller: &Caller,
    named: &Named,
) -> Result<FoundTenant, T::Error> {
    let own = match caller.shop().map(TenantName::from) {
        None => None,
        Some(name) => Some(find(tenants, &name).await?),
    };
    match (own, of_names(tenants, named).await?) {
        (Some(own), found) if found.as_ref().is_none_or(|(_, found)| found.id == own.id) => open(rates, own),
        (None, Some((_, found))) if caller.is_admin() => Ok(found),
        // What is theirs, unless they say otherwise.
        (None, None) if let Some(person) = caller.person() => find(tenants, &TenantName::Id(person.tenant)).await,
        (None, Some((_, found))) if *caller == Caller::Newcomer => open(rates, found),
        (_, Some((name, _))) => Err(unknown(&name).into()),
        (_, None) => {
            Err(required("send one of the headers X-Tenant-Slug and X-Tenant-Id, or the parameter tenant").into())
        }
    }
}

/// A shop for everybody but administrators: counted, unless it is suspended.
fn open<E: From<Problem>>(rates: &Rates, found: FoundTenant) -> Result<FoundTenant, E> {
    if let Some(reason) = &found.suspended {
        return Err(Problem::new(Code::TenantSuspended).detail(&**reason).into());
    }
    rates.take(found.id, &found.quotas).map_err(|too_many| too_many.problem())?;
    Ok(found)
}

/// The shop that headers and address name, if they name one, and by which name.
async fn of_names<T: Tenants>(tenants: &T, named: &Named) -> Result<Option<(TenantName, FoundTenant)>, T::Error> {
    let address = named.address.clone().map(TenantName::Slug);
    let (Some(header), Some(slug)) = (&named.header, &address) else {
        let Some(name) = named.header.clone().or(address) else { return Ok(None) };
        let found = find(tenants, &name).await?;
        return Ok(Some((name, found)));
    };
    let found = find(tenants, header).await?;
    if tenants.find(slug).await?.map(|other| other.id) != Some(found.id) {
        return Err(conflict(&slug.to_string()).into());
    }
    Ok(Some((header.clone(), found)))
}

async fn find<T: Tenants>(tenants: &T, name: &TenantName) -> Result<FoundTenant, T::Error> {
    tenants.find(name).await?.ok_or_else(|| unknown(name).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        customer::Customer,
        key::KnownKey,
        member::{Member, Power},
    };
    use schemas::{Uuid, events::access::KeyKind};
    use std::num::NonZeroU32;

    const SHOPS: [&str; 3] = ["lamps", "chairs", "closed"];

    fn id(slug: &str) -> TenantId {
        TenantId(Uuid::from_u128(SHOPS.iter().position(|shop| *shop == slug).map_or(99, |place| place as u128)))
    }

    struct Three;

    impl Tenants for Three {
        type Error = Problem;

        async fn find(&self, name: &TenantName) -> Result<Option<FoundTenant>, Problem> {
            let slug = SHOPS.into_iter().find(|slug| match name {
                TenantName::Id(known) => *known == id(slug),
                TenantName::Slug(name) => name == slug,
            });
            let suspended = |slug: &str| (slug == "closed").then(|| Arc::from("unpaid"));
            Ok(slug.map(|slug| FoundTenant {
                id: id(slug),
                suspended: suspended(slug),
                origins: Arc::default(),
                quotas: Quotas::default(),
                usage: None,
            }))
        }
    }

    fn key(slug: &str) -> Caller {
        Caller::Key(Arc::new(KnownKey {
            id: Uuid::nil(),
            tenant: id(slug),
            kind: KeyKind::Owner,
            permissions: Vec::new(),
            signing_key: None,
            expires_at: None,
        }))
    }

    fn member(power: Power) -> Caller {
        let customer = Customer { tenant: id("chairs"), user: Uuid::nil(), session: Uuid::nil(), is_strong: true };
        Caller::Member(Arc::new(Member { customer, power }))
    }

    fn rates(per_second: Option<NonZeroU32>) -> Rates {
        Rates::of_shops(per_second, |quotas| quotas.commands_per_second)
    }

    async fn ask(caller: &Caller, header: Option<&str>, address: Option<&str>) -> Result<TenantId, String> {
        let headers = header.map(|slug| (SLUG.parse().expect("a name"), slug.parse().expect("a value")));
        let named = Named::of(&HeaderMap::from_iter(headers), address.map(str::to_owned)).expect("read");
        let found = of(&Three, &rates(None), caller, &named).await;
        found.map(|found| found.id).map_err(|problem| problem.code)
    }

    #[tokio::test]
    async fn a_key_or_a_host_says_whose_it_is_and_what_is_named_may_only_agree() {
        for own in [key("lamps"), Caller::Visitor("lamps".into())] {
            for (header, address) in
                [(None, None), (Some("lamps"), None), (None, Some("lamps")), (Some("lamps"), Some("lamps"))]
            {
                assert_eq!(ask(&own, header, address).await, Ok(id("lamps")), "{own:?} {header:?} {address:?}");
            }
            for (header, address, code) in [
                (Some("chairs"), None, "tenant_not_found"),
                (None, Some("chairs"), "tenant_not_found"),
                (Some("none"), None, "tenant_not_found"),
                (Some("lamps"), Some("chairs"), "tenant_conflict"),
                (Some("lamps"), Some("none"), "tenant_conflict"),
            ] {
                assert_eq!(ask(&own, header, address).await, Err(code.to_owned()), "{own:?} {header:?} {address:?}");
            }
        }
        assert_eq!(ask(&Caller::Visitor("none".into()), None, None).await, Err("tenant_not_found".to_owned()));
    }

    #[tokio::test]
    async fn an_administrator_names_a_shop_and_nobody_else_does() {
        for (header, address) in [(Some("lamps"), None), (None, Some("lamps"))] {
            assert_eq!(ask(&Caller::Admin, header, address).await, Ok(id("lamps")));
            for nobody in [Caller::Anonymous, Caller::Unknown, Caller::Unavailable] {
                assert_eq!(ask(&nobody, header, address).await, Err("tenant_not_found".to_owned()));
            }
            assert_eq!(ask(&member(Power::Admin), header, address).await, Ok(id("lamps")));
            assert_eq!(ask(&member(Power::Owner), header, address).await, Err("tenant_not_found".to_owned()));
        }
        assert_eq!(ask(&member(Power::Admin), None, None).await, Ok(id("chairs")), "their own");
        assert_eq!(ask(&Caller::Admin, None, None).await, Err("tenant_required".to_owned()));
    }

    #[tokio::test]
    async fn a_suspended_shop_is_open_to_administrators_alone() {
        assert_eq!(ask(&key("closed"), None, None).await, Err("tenant_suspended".to_owned()));
        assert_eq!(ask(&Caller::Admin, Some("closed"), None).await, Ok(id("closed")));
    }

    #[tokio::test]
    async fn who_comes_to_sign_in_names_an_open_shop() {
        assert_eq!(ask(&Caller::Newcomer, Some("lamps"), None).await, Ok(id("lamps")));
        assert_eq!(ask(&Caller::Newcomer, Some("closed"), None).await, Err("tenant_suspended".to_owned()));
        assert_eq!(ask(&Caller::Newcomer, None, None).await, Err("tenant_required".to_owned()));
    }

    #[tokio::test]
    async fn administrators_are_not_counted() {
        let (rates, named) = (rates(NonZeroU32::new(1)), Named::default());
        let own = key("lamps");
        let mut refused = 0;
        for _ in 0..10 {
            refused += usize::from(of(&Three, &rates, &own, &named).await.is_err());
        }
        assert!(refused >= 7, "{refused}");
        let named = Named { header: Some(TenantName::Id(id("lamps"))), address: None };
        let found = of(&Three, &rates, &Caller::Admin, &named).await;
        assert_eq!(found.map(|found| found.id).map_err(|problem| problem.code), Ok(id("lamps")));
    }

    #[test]
    fn headers_name_one_shop_or_none() {
        let of = |pairs: &[(&str, &[u8])]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (name.parse().expect("a name"), axum::http::HeaderValue::from_bytes(value).expect("a value"))
            });
            Named::of(&HeaderMap::from_iter(pairs), None).map_err(|problem| problem.code)
        };
        assert_eq!(of(&[]), Ok(Named::default()));
        assert_eq!(of(&[(ID, b"no id")]), Err("invalid_request".to_owned()));
        assert_eq!(of(&[(SLUG, b"\xff")]), Err("invalid_request".to_owned()));
        assert_eq!(of(&[(SLUG, b"a"), (ID, b"b")]), Err("tenant_required".to_owned()));
    }
}
