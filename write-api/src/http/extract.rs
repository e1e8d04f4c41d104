//! What a command brings besides its body: tenant, expected version, idempotency key.

use super::{MAX_BODY_BYTES, idempotency, json, problem::ApiError};
use crate::pipeline::{App, Audited, Expected, Rejection, Scope, audited::By, idempotency::Key};
use access::{
    Caller, Member, Power,
    shop::{self, FoundTenant, Named, TenantName},
};
use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{header, request::Parts},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use schemas::{
    Uuid,
    audit::Actor,
    buyer::Buyer,
    events::access::KeyKind,
    ids::TenantId,
    problem::{Code, Problem},
};
use serde::de::DeserializeOwned;
use service::{RequestContext, http::Peer};
use std::collections::HashMap;

/// Why something is done, for the audit.
const REASON: &str = "souk-reason";
const MOST_REASON: usize = 500;

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

/// The tenant of a command, and the request's ids.
pub(crate) async fn scope(parts: &mut Parts, app: &App) -> Result<Scope, ApiError> {
    let caller = parts.extensions.get().unwrap_or(&Caller::Unknown);
    let named = Named::of(&parts.headers, tenant_in_address(parts))?;
    let found = shop::of(app, &app.rates, caller, &named).await?;
    let scope = app.scope(found.id, context(parts, app), audited(parts)?);
    Ok(Scope { allowance: app.allowance(&found), ..scope })
}

fn actor(member: &Member) -> Actor {
    let user = Some(member.customer.user);
    match member.power {
        Power::Admin => Actor::Admin { user },
        Power::Owner => Actor::Owner { key: None, user },
        Power::Staff(_) => Actor::Staff { key: None, user },
    }
}

/// Who acts, if they are audited: staff, owners and administrators.
pub(crate) fn audited(parts: &Parts) -> Result<Audited, ApiError> {
    let actor = match parts.extensions.get().unwrap_or(&Caller::Unknown) {
        Caller::Admin => Actor::Admin { user: None },
        Caller::Key(known) => match known.kind {
            KeyKind::Owner => Actor::Owner { key: Some(known.id), user: None },
            KeyKind::Staff => Actor::Staff { key: Some(known.id), user: None },
            KeyKind::Search => return Ok(Audited::default()),
        },
        Caller::Member(member) => actor(member),
        Caller::Anonymous
        | Caller::Newcomer
        | Caller::Visitor(_)
        | Caller::Unknown
        | Caller::Unavailable
        | Caller::Scoped(..)
        | Caller::Guest(_)
        | Caller::Customer(_) => return Ok(Audited::default()),
    };
    let address = parts.extensions.get().map(|Peer(address)| address.to_string());
    let reason = match parts.headers.get(REASON).map(|value| value.to_str().map(str::trim)) {
        None => None,
        Some(Ok(reason)) if reason.len() <= MOST_REASON => Some(reason).filter(|reason| !reason.is_empty()),
        Some(_) => {
            let detail = format!("at most {MOST_REASON} visible ASCII characters are expected");
            return Err(ApiError::unreadable(REASON, detail));
        }
    };
    Ok(Audited::by(By { actor, address, reason: reason.map(str::to_owned) }))
}

impl shop::Tenants for App {
    type Error = ApiError;

    async fn find(&self, name: &TenantName) -> Result<Option<FoundTenant>, ApiError> {
        Ok(self.tenants.find(&self.database, name).await?)
    }
}

fn tenant_in_address(parts: &Parts) -> Option<String> {
    parts.uri.query()?;
    Query::<HashMap<String, String>>::try_from_uri(&parts.uri).ok()?.0.remove("tenant")
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

/// Who buys.
pub(crate) struct Buying {
    shop: TenantId,
    buyer: Buyer,
}

impl FromRequestParts<App> for Buying {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let found = parts.extensions.get().and_then(Caller::buyer);
        let (shop, buyer) = found.ok_or_else(|| Problem::new(Code::Unauthorized))?;
        Ok(Self { shop, buyer })
    }
}

impl Buying {
    /// Who it is in the shop that the request is about. Administrators, whom all shops are open to, buy in their own.
    pub(crate) fn of(&self, scope: &Scope) -> Result<Buyer, Rejection> {
        let is_theirs = self.shop == scope.tenant;
        is_theirs.then_some(self.buyer).ok_or_else(|| Rejection::not_found("your account is in another shop"))
    }
}

/// An aggregate's id, as the address gives it.
pub(crate) struct PathId(pub(crate) Uuid);

impl FromRequestParts<App> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let text = Path::<String>::from_request_parts(parts, app).await.map(|Path(text)| text).unwrap_or_default();
        path_id(&text).map(Self)
    }
}

/// Two parts that the path holds, as they came.
pub(crate) struct PathPair(pub(crate) String, pub(crate) String);

impl FromRequestParts<App> for PathPair {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let found = Path::<(String, String)>::from_request_parts(parts, app).await;
        let found = found.map(|Path((one, other))| Self(one, other));
        found.map_err(|_| ApiError::unreadable("path", "it holds something that is no text"))
    }
}

/// An id that the path holds beside something else.
pub(crate) fn path_id(text: &str) -> Result<Uuid, ApiError> {
    Uuid::parse_str(text).map_err(|_| ApiError::unreadable("id", "the path should hold a UUID"))
}
