//! Which pages of other hosts browsers show an answer to (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>): those
//! that the shop of the caller names.
//!
//! Whose shop it is says the key or the host, as everywhere. A browser asks beforehand whether it may send a request, and
//! sends no key with that. At the host of a shop its list decides already then. Elsewhere a page of any origin may ask:
//! keys are not sent by themselves as cookies are, so that nobody's rights are borrowed, and the answer is shown to
//! nobody but those whom the shop names.

use crate::{
    caller::Caller,
    shop::{TenantName, Tenants},
};
use axum::http::{HeaderName, HeaderValue, Method, header, request::Parts};
use schemas::token::{CONSISTENCY_HEADER, TOKEN_HEADER, WAIT_HEADER};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may keep what it was told beforehand.
const KEPT: Duration = Duration::from_secs(600);
/// What a page may send beside what each may.
const SENT: [HeaderName; 11] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("prefer"),
    HeaderName::from_static("souk-reason"),
    HeaderName::from_static("x-correlation-id"),
    HeaderName::from_static("x-tenant-id"),
    HeaderName::from_static("x-tenant-slug"),
    HeaderName::from_static(TOKEN_HEADER),
    HeaderName::from_static(WAIT_HEADER),
];
/// What a page may read of an answer's head beside what each may.
const SHOWN: [HeaderName; 6] = [
    header::ETAG,
    header::RETRY_AFTER,
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("x-correlation-id"),
    HeaderName::from_static(CONSISTENCY_HEADER),
    HeaderName::from_static(TOKEN_HEADER),
];

/// Who may read where a shop names no origins, and where an answer is of no shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// Pages of every origin.
    Everybody,
    /// Pages of none.
    Nobody,
}

/// The layer of a server. It has to lie within [`crate::guard::identify`], which says who calls.
pub fn layer<T>(tenants: T, otherwise: Otherwise, methods: impl Into<Vec<Method>>) -> CorsLayer
where
    T: Tenants + Clone + Send + Sync + 'static,
    T::Error: Send,
{
    let may_read = move |origin: HeaderValue, parts: &Parts| {
        let caller = parts.extensions.get().cloned().unwrap_or(Caller::Unknown);
        let (tenants, is_beforehand) = (tenants.clone(), parts.method == Method::OPTIONS);
        async move { may_read(&tenants, otherwise, &caller, is_beforehand, &origin).await }
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::async_predicate(may_read))
        .allow_methods(methods.into())
        .allow_headers(SENT)
        .expose_headers(SHOWN)
        .max_age(KEPT)
}

async fn may_read<T: Tenants>(
    tenants: &T,
    otherwise: Otherwise,
    caller: &Caller,
    is_beforehand: bool,
    origin: &HeaderValue,
) -> bool {
    let otherwise = otherwise == Otherwise::Everybody;
    let Some(shop) = caller.shop() else { return is_beforehand || otherwise };
    match tenants.find(&TenantName::from(shop)).await {
        Ok(Some(shop)) if !shop.origins.is_empty() => {
            shop.origins.iter().any(|one| one.as_bytes() == origin.as_bytes())
        }
        // Where it can't be looked up, the answer says so, and nothing of the shop.
        Ok(_) | Err(_) => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::FoundTenant;
    use schemas::{Uuid, events::tenants::Quotas, ids::TenantId, problem::Problem};

    const PAGE: HeaderValue = HeaderValue::from_static("https://shop.example");

    struct Two;

    impl Tenants for Two {
        type Error = Problem;

        async fn find(&self, name: &TenantName) -> Result<Option<FoundTenant>, Problem> {
            let origins = match name {
                TenantName::Slug(slug) if slug == "named" => vec!["https://shop.example".to_owned()],
                TenantName::Slug(slug) if slug == "open" => Vec::new(),
                TenantName::Slug(_) | TenantName::Id(_) => return Ok(None),
            };
            let (id, origins, quotas) = (TenantId(Uuid::nil()), origins.into(), Quotas::default());
            Ok(Some(FoundTenant { id, suspended: None, origins, quotas, usage: None }))
        }
    }

    async fn may(caller: &Caller, is_beforehand: bool, origin: &HeaderValue) -> [bool; 2] {
        let mut answers = [false; 2];
        for (answer, otherwise) in answers.iter_mut().zip([Otherwise::Everybody, Otherwise::Nobody]) {
            *answer = may_read(&Two, otherwise, caller, is_beforehand, origin).await;
        }
        answers
    }

    #[tokio::test]
    async fn whom_a_shop_names_may_read_and_nobody_else() {
        let shop = Caller::Visitor("named".into());
        for is_beforehand in [true, false] {
            assert_eq!(may(&shop, is_beforehand, &PAGE).await, [true; 2]);
            for other in ["https://shop.example.evil", "http://shop.example", "https://shop.example:444", "null"] {
                assert_eq!(may(&shop, is_beforehand, &HeaderValue::from_static(other)).await, [false; 2], "{other}");
            }
        }
    }

    #[tokio::test]
    async fn where_no_shop_names_any_the_server_decides_and_everybody_may_ask_beforehand() {
        for (caller, beforehand) in [
            (Caller::Visitor("open".into()), [true, false]),
            (Caller::Visitor("unknown".into()), [true, false]),
            (Caller::Anonymous, [true, true]),
            (Caller::Admin, [true, true]),
        ] {
            assert_eq!(may(&caller, true, &PAGE).await, beforehand, "{caller:?}");
            assert_eq!(may(&caller, false, &PAGE).await, [true, false], "{caller:?}");
        }
    }
}
