//! What a command brings besides its body: tenant, expected version, idempotency key.

use super::{MAX_BODY_BYTES, idempotency, json, problem::ApiError};
use crate::{
    contexts::tenants::port::{FoundTenant, TenantName},
    pipeline::{App, Expected, Rejection, Scope, idempotency::Key},
};
use access::{Caller, caller::ShopOf, rates::TooMany};
use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{header, request::Parts},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use schemas::{
    Uuid,
    problem::{Code, Problem},
};
use serde::de::DeserializeOwned;
use service::RequestContext;
use std::collections::HashMap;

/// A command with a JSON body.
pub(crate) struct Command<T> {
    pub(crate) scope: Scope,
    pub(crate) expected: Expected,
    pub(crate) key: Option<Key>,
    pub(crate) body: T,
}

/// A command without a body.
pub(crate) struct BareCommand {
    pub(crate) scope: Scope,
    pub(crate) expected: Expected,
    pub(crate) key: Option<Key>,
}

impl<T: DeserializeOwned> FromRequest<App> for Command<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let scope = scope(&mut parts, app).await?;
        let bytes = read_body(body).await?;
        let key = idempotency::key_of(&parts)?.map(|key| idempotency::guard(&key, &parts, &bytes));
        Ok(Self { scope, expected: expected(&parts)?, key, body: json::read(&bytes)? })
    }
}

impl FromRequest<App> for BareCommand {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, _) = request.into_parts();
        let scope = scope(&mut parts, app).await?;
        let key = idempotency::key_of(&parts)?.map(|key| idempotency::guard(&key, &parts, b""));
        Ok(Self { scope, expected: expected(&parts)?, key })
    }
}

/// Reads a body of a single command.
pub(crate) async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    let (mut parts, mut bytes) = (body.into_data_stream(), BytesMut::new());
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| ApiError::unreadable("", "the body broke off"))?;
        if bytes.len() + part.len() > MAX_BODY_BYTES {
            return Err(Rejection::too_large(format!("a command has at most {MAX_BODY_BYTES} bytes")).into());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.freeze())
}

/// Who the request is, as the middleware noted it.
pub(crate) fn context(parts: &Parts, app: &App) -> RequestContext {
    let drawn = || RequestContext { correlation_id: app.clock.id().to_string(), traceparent: None };
    parts.extensions.get::<RequestContext>().cloned().unwrap_or_else(drawn)
}

/// The tenant named by one of the two headers, if one is.
pub(crate) fn tenant_name(parts: &Parts) -> Result<Option<TenantName>, ApiError> {
    let header = |name: &str| {
        let value = parts.headers.get(name)?;
        Some(value.to_str().map(str::to_owned).map_err(|_| ApiError::unreadable(name, "visible ASCII is expected")))
    };
    match (header("x-tenant-id").transpose()?, header("x-tenant-slug").transpose()?) {
        (Some(id), None) => {
            let id = Uuid::parse_str(&id).map_err(|_| ApiError::unreadable("X-Tenant-Id", "a UUID is expected"))?;
            Ok(Some(TenantName::Id(id)))
        }
        (None, Some(slug)) => Ok(Some(TenantName::Slug(slug))),
        (Some(_), Some(_)) => Err(tenant_required("send one of the headers X-Tenant-Id and X-Tenant-Slug, not both")),
        (None, None) => Ok(None),
    }
}

/// The tenant of a command, and the request's ids.
pub(crate) async fn scope(parts: &mut Parts, app: &App) -> Result<Scope, ApiError> {
    let caller = parts.extensions.get().unwrap_or(&Caller::Unknown);
    // The key or the host says whose it is; a header may only agree.
    let own = match caller.shop() {
        None => None,
        Some(ShopOf::Id(tenant)) => Some(TenantName::Id(tenant.uuid())),
        Some(ShopOf::Slug(slug)) => Some(TenantName::Slug(slug.to_owned())),
    };
    let own = match own {
        None => None,
        Some(name) => Some(find(app, name).await?),
    };
    let (tenant, is_own) = match (tenant_name(parts)?, own) {
        (None, Some(own)) => (own, true),
        (Some(name), own) => {
            let named = find(app, name).await?;
            let is_own = own.is_some_and(|own| own.id == named.id);
            (named, is_own)
        }
        (None, None) => return Err(tenant_required("send one of the headers X-Tenant-Id and X-Tenant-Slug")),
    };
    let FoundTenant { id: tenant, suspended } = tenant;
    if !caller.is_admin() {
        if !is_own {
            return Err(no_tenant());
        }
        if let Some(reason) = suspended {
            return Err(ApiError::new(Problem::new(Code::TenantSuspended).detail(&*reason)));
        }
        app.rates.take(tenant).map_err(|TooMany| ApiError::new(TooMany.problem()))?;
    }
    // Reads may name the tenant in the address; here it may stand there, too, but not differ.
    if let Some(slug) = tenant_in_address(parts)
        && app.tenants.find(&app.pool, TenantName::Slug(slug.clone())).await?.map(|found| found.id) != Some(tenant)
    {
        return Err(tenant_conflict(&slug));
    }
    Ok(app.scope(tenant, context(parts, app)))
}

async fn find(app: &App, name: TenantName) -> Result<FoundTenant, ApiError> {
    app.tenants.find(&app.pool, name).await?.ok_or_else(no_tenant)
}

fn no_tenant() -> ApiError {
    ApiError::new(Problem::new(Code::TenantNotFound).detail("PUT /v1/tenants/{slug} opens a tenant"))
}

fn tenant_in_address(parts: &Parts) -> Option<String> {
    parts.uri.query()?;
    Query::<HashMap<String, String>>::try_from_uri(&parts.uri).ok()?.0.remove("tenant")
}

fn tenant_required(detail: &str) -> ApiError {
    ApiError::new(Problem::new(Code::TenantRequired).detail(detail))
}

/// The address names this tenant, and a header another one.
pub(crate) fn tenant_conflict(slug: &str) -> ApiError {
    let detail = format!("the address names the tenant `{slug}`, and a header another one");
    ApiError::new(Problem::new(Code::TenantConflict).detail(detail))
}

/// The version in `If-Match`: `"7"`, or `*` for any.
fn expected(parts: &Parts) -> Result<Expected, ApiError> {
    let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Expected::Unsaid) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Expected::Any);
    }
    let digits = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let version = digits.and_then(|digits| digits.parse().ok());
    version.map(Expected::Version).ok_or_else(|| {
        ApiError::unreadable("If-Match", "the ETag of an earlier answer is expected, such as \"7\", or *")
    })
}

/// An aggregate's id, as the address gives it.
pub(crate) struct PathId(pub(crate) Uuid);

impl FromRequestParts<App> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let text = Path::<String>::from_request_parts(parts, app).await.map(|Path(text)| text).unwrap_or_default();
        Uuid::parse_str(&text).map(Self).map_err(|_| ApiError::unreadable("id", "the path should hold a UUID"))
    }
}
