//! Shops on this installation.

use crate::domain::{Aggregate, Refusal, Slug, validation::Findings};
use schemas::{
    events::tenants::{
        Quotas, TenantCreated, TenantDeleted, TenantOriginsSet, TenantQuotasSet, TenantResumed, TenantSuspended,
        TenantsEvent,
    },
    ids::TenantId,
    problem::{Code, FieldError, ProblemType},
};
use serde::{Deserialize, Serialize};

/// Origins that a shop may name.
const MOST_ORIGINS: usize = 50;
/// The largest quotas: more is a slip.
const MOST_PRODUCTS: u64 = 1_000_000_000;
const MOST_PER_SECOND: u32 = 1_000_000;
const MOST_MIB: u64 = 1 << 30;

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
    /// How much it may have and ask for.
    #[serde(default)]
    pub quotas: Quotas,
    /// It is there for nobody any more; it stays until its data are gone.
    #[serde(default)]
    pub deleted: bool,
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
    /// Says how much it may have and ask for.
    SetQuotas(Quotas),
    /// Has it and its data go for good, if it is suspended.
    Delete,
}

/// Why a shop stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was never opened.
    #[error("there is no such tenant")]
    Missing,
    /// It was deleted, and its data are still there.
    #[error("a shop of this name was deleted, and its data are not gone yet; try again later")]
    Going,
    /// Only what nobody uses any more is deleted.
    #[error("suspend the shop first: only a suspended one is deleted")]
    InUse,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing => Code::TenantNotFound.into(),
            Self::Going => Code::SlugTaken.into(),
            Self::InUse => Code::StatusConflict.into(),
        }
    }
}

/// Quotas, each within what makes sense.
///
/// # Errors
/// Those that are not.
pub fn quotas(asked: Quotas) -> Result<Quotas, Vec<FieldError>> {
    let mut findings = Findings::default();
    let Quotas { products, commands_per_second, reads_per_second, storage_mib } = asked;
    for (pointer, value, least, most) in [
        ("/products", products, 0, MOST_PRODUCTS),
        ("/commands_per_second", commands_per_second.map(u64::from), 1, MOST_PER_SECOND.into()),
        ("/reads_per_second", reads_per_second.map(u64::from), 1, MOST_PER_SECOND.into()),
        ("/storage_mib", storage_mib, 0, MOST_MIB),
    ] {
        if value.is_some_and(|value| !(least..=most).contains(&value)) {
            findings.add(pointer, format!("{least} to {most} are allowed; without it, there is no quota"));
        }
    }
    findings.done()?;
    Ok(asked)
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
        let Some(tenant) = state else { return create(command) };
        if tenant.deleted {
            let opens = matches!(command, TenantCommand::Open(_));
            return Err(if opens { Rejection::Going } else { Rejection::Missing });
        }
        let id = tenant.id;
        let event = match command {
            TenantCommand::Open(_) => return Ok(vec![]),
            TenantCommand::Suspend(reason) if tenant.suspended.as_ref() == Some(&reason) => return Ok(vec![]),
            TenantCommand::Suspend(reason) => TenantsEvent::Suspended(TenantSuspended { tenant_id: id, reason }),
            TenantCommand::Resume if tenant.suspended.is_none() => return Ok(vec![]),
            TenantCommand::Resume => TenantsEvent::Resumed(TenantResumed { tenant_id: id }),
            TenantCommand::SetOrigins(origins) if tenant.origins == origins => return Ok(vec![]),
            TenantCommand::SetOrigins(origins) => TenantsEvent::OriginsSet(TenantOriginsSet { tenant_id: id, origins }),
            TenantCommand::SetQuotas(quotas) if tenant.quotas == quotas => return Ok(vec![]),
            TenantCommand::SetQuotas(quotas) => TenantsEvent::QuotasSet(TenantQuotasSet { tenant_id: id, quotas }),
            TenantCommand::Delete if tenant.suspended.is_none() => return Err(Rejection::InUse),
            TenantCommand::Delete => TenantsEvent::Deleted(TenantDeleted { tenant_id: id }),
        };
        Ok(vec![event])
    }

    fn apply(state: Option<Self>, event: &TenantsEvent) -> Option<Self> {
        match event.clone() {
            TenantsEvent::Created(TenantCreated { tenant_id, slug, name }) => {
                let (suspended, origins, quotas) = (None, Vec::new(), Quotas::default());
                Some(Self { id: tenant_id, slug, name, suspended, origins, quotas, deleted: false })
            }
            TenantsEvent::Suspended(TenantSuspended { reason, .. }) => {
                state.map(|tenant| Self { suspended: Some(reason), ..tenant })
            }
            TenantsEvent::Resumed(_) => state.map(|tenant| Self { suspended: None, ..tenant }),
            TenantsEvent::OriginsSet(TenantOriginsSet { origins, .. }) => {
                state.map(|tenant| Self { origins, ..tenant })
            }
            TenantsEvent::QuotasSet(TenantQuotasSet { quotas, .. }) => state.map(|tenant| Self { quotas, ..tenant }),
            TenantsEvent::Deleted(_) => state.map(|tenant| Self { deleted: true, ..tenant }),
        }
    }
}

/// What becomes of a command where there is no shop.
fn create(command: TenantCommand) -> Result<Vec<TenantsEvent>, Rejection> {
    match command {
        TenantCommand::Open(OpenTenant { id, slug, name }) => {
            Ok(vec![TenantsEvent::Created(TenantCreated { tenant_id: id, slug: slug.as_str().to_owned(), name })])
        }
        TenantCommand::Suspend(_)
        | TenantCommand::Resume
        | TenantCommand::SetOrigins(_)
        | TenantCommand::SetQuotas(_)
        | TenantCommand::Delete => Err(Rejection::Missing),
    }
}
