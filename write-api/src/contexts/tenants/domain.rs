//! Shops on this installation.

use crate::domain::{Aggregate, Refusal, Slug, validation::Findings};
use schemas::{
    events::tenants::{TenantCreated, TenantOriginsSet, TenantResumed, TenantSuspended, TenantsEvent},
    ids::TenantId,
    problem::{Code, FieldError, ProblemType},
};
use serde::{Deserialize, Serialize};

/// Origins that a shop may name.
const MOST_ORIGINS: usize = 50;

/// A shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub name: String,
    /// Why it is closed for the time being, if it is.
    #[serde(default)]
    pub suspended: Option<String>,
    /// The origins whose pages may read its answers; none if it names none.
    #[serde(default)]
    pub origins: Vec<String>,
}

/// What can be done to a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantCommand {
    /// Opens it, unless it is open already.
    Open(OpenTenant),
    /// Closes it for the time being, and says why.
    Suspend(String),
    /// Opens it again.
    Resume,
    /// Says which pages may read its answers.
    SetOrigins(Vec<String>),
}

/// Why a shop stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was never opened.
    #[error("there is no such tenant")]
    Missing,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        Code::TenantNotFound.into()
    }
}

/// A reason that people of the shop are told: 1 to 500 characters.
///
/// # Errors
/// What is wrong with it.
pub fn reason(text: String) -> Result<String, Vec<FieldError>> {
    let mut findings = Findings::default();
    findings.line(|| "/reason".to_owned(), &text, 500);
    findings.done()?;
    Ok(text)
}

/// Origins of web pages, each as browsers send it; in their order, each once.
///
/// # Errors
/// Those that no browser would send so.
pub fn origins(mut texts: Vec<String>) -> Result<Vec<String>, Vec<FieldError>> {
    let mut findings = Findings::default();
    findings.count("/origins", texts.len(), MOST_ORIGINS);
    for (place, text) in texts.iter().enumerate() {
        let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        // A host may have an asterisk in it, but whoever writes one means others.
        if text.contains('*') || url.is_none_or(|url| url.origin().ascii_serialization() != *text) {
            findings.add(
                format!("/origins/{place}"),
                "http:// or https:// and a host is expected, in lower case and without a path, such as https://shop.example",
            );
        }
    }
    findings.done()?;
    texts.sort_unstable();
    texts.dedup();
    Ok(texts)
}

/// Opens a shop, unless it is open already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTenant {
    /// The id it gets if it is new.
    pub id: TenantId,
    /// The name in addresses.
    pub slug: Slug,
    /// The name people read.
    pub name: String,
}

impl OpenTenant {
    /// Reads what was given.
    ///
    /// # Errors
    /// What is wrong with slug or name.
    pub fn parse(id: TenantId, slug: &str, name: String) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        let parsed = Slug::parse(slug).map_err(|reason| findings.add("slug", reason)).ok();
        if slug.len() > 63 {
            findings.add("slug", "a tenant's slug has at most 63 characters");
        }
        findings.line(|| "/name".to_owned(), &name, 200);
        findings.done()?;
        let slug = parsed.ok_or_else(Vec::new)?;
        Ok(Self { id, slug, name })
    }
}

impl Aggregate for Tenant {
    const NAME: &'static str = "tenant";
    type Command = TenantCommand;
    type Event = TenantsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: TenantCommand) -> Result<Vec<TenantsEvent>, Rejection> {
        match (state, command) {
            (Some(_), TenantCommand::Open(_)) => Ok(vec![]),
            (None, TenantCommand::Open(OpenTenant { id, slug, name })) => {
                Ok(vec![TenantsEvent::Created(TenantCreated { tenant_id: id, slug: slug.as_str().to_owned(), name })])
            }
            (None, TenantCommand::Suspend(_) | TenantCommand::Resume | TenantCommand::SetOrigins(_)) => {
                Err(Rejection::Missing)
            }
            (Some(tenant), TenantCommand::Suspend(reason)) if tenant.suspended.as_ref() == Some(&reason) => Ok(vec![]),
            (Some(tenant), TenantCommand::Suspend(reason)) => {
                Ok(vec![TenantsEvent::Suspended(TenantSuspended { tenant_id: tenant.id, reason })])
            }
            (Some(tenant), TenantCommand::Resume) if tenant.suspended.is_none() => Ok(vec![]),
            (Some(tenant), TenantCommand::Resume) => {
                Ok(vec![TenantsEvent::Resumed(TenantResumed { tenant_id: tenant.id })])
            }
            (Some(tenant), TenantCommand::SetOrigins(origins)) if tenant.origins == origins => Ok(vec![]),
            (Some(tenant), TenantCommand::SetOrigins(origins)) => {
                Ok(vec![TenantsEvent::OriginsSet(TenantOriginsSet { tenant_id: tenant.id, origins })])
            }
        }
    }

    fn apply(state: Option<Self>, event: &TenantsEvent) -> Option<Self> {
        match event.clone() {
            TenantsEvent::Created(TenantCreated { tenant_id, slug, name }) => {
                Some(Self { id: tenant_id, slug, name, suspended: None, origins: Vec::new() })
            }
            TenantsEvent::Suspended(TenantSuspended { reason, .. }) => {
                state.map(|tenant| Self { suspended: Some(reason), ..tenant })
            }
            TenantsEvent::Resumed(_) => state.map(|tenant| Self { suspended: None, ..tenant }),
            TenantsEvent::OriginsSet(TenantOriginsSet { origins, .. }) => {
                state.map(|tenant| Self { origins, ..tenant })
            }
        }
    }
}
