//! What staff, shoppers and an experiment add to a request, the same for every read that takes a search.

use super::body::SearchBody;
use crate::{
    app::App,
    problem::Refusal,
    ranking::overlaid,
    request::ReadContext,
    steering::{self, Shown},
};
use ::search::{
    query::{SearchRequest, Steering},
    reader::Snapshot,
};
use access::scoped::Restriction;
use schemas::{Utc, topics::Context};
use std::{fmt::Write, sync::Arc};

/// What came of it.
#[derive(Debug, Default)]
pub struct Steered {
    /// What is shown beside the hits.
    pub shown: Shown,
    /// Differs when what staff have defined or shoppers like differs; part of cache keys.
    pub stamp: String,
    /// What could not be done as defined.
    pub degraded: Option<String>,
}

/// Leaves out what a scoped key does not show.
fn restrict(request: &mut SearchRequest, restriction: &Restriction) {
    request.only.clone_from(&restriction.filter);
    request.limit = restriction.max_hits.map_or(request.limit, |most| request.limit.min(most));
}

/// Applies what staff have defined, drafts included and the release bundle's beneath, what shoppers like, and the
/// ranking: the generation's, then the experiment's, then what the request tries.
///
/// # Errors
/// [`Refusal`] names a draft or a setting that can't be read, or the database failed.
pub async fn steer(
    app: &App,
    context: &ReadContext,
    body: &SearchBody,
    snapshot: &Snapshot,
    request: &mut SearchRequest,
) -> Result<Steered, Refusal> {
    let (now, shipped) = (body.moment()?.unwrap_or_else(Utc::now), snapshot.ranking);
    request.now = Some(now);
    let mut steered = Steered::default();
    if body.steering.unwrap_or(true) {
        let mut definitions =
            app.defined.of(context.tenant, context.names(Context::Merchandising), &snapshot.manifest).await?;
        if !body.preview.is_empty() {
            let drafted = definitions.with_drafts(&body.preview);
            definitions = Arc::new(drafted.map_err(|(pointer, reason)| Refusal::parameter(&pointer, reason))?);
        }
        steered.shown = steering::apply(request, &definitions, body.client.as_deref(), now);
        let popular = app.popularity.of(context.tenant, context.names(Context::Insights)).await?;
        request.steering = Arc::new(Steering { popularity: popular.products, ..request.steering.as_ref().clone() });
        steered.stamp = format!("{} {}", definitions.stamp, popular.stamp);
    }
    let arm = steered.shown.experiment.as_ref();
    steered.degraded = arm.and_then(|arm| arm.ignored.clone());
    let tried = arm.and_then(|arm| overlaid(shipped, &arm.ranking).ok()).unwrap_or(shipped);
    request.ranking = Some(body.ranking(tried)?);
    if let Some(restriction) = &context.restriction {
        restrict(request, restriction);
        let _ = write!(steered.stamp, " {}", restriction.text);
    }
    Ok(steered)
}
