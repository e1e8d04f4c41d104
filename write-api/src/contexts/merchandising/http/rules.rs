//! `/v1/merchandising/rules/{name}`.

use super::WindowInput;
use crate::{
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        named::{NameParameter, PathName},
        problem::ApiError,
    },
    pipeline::{App, command::CarriedOut},
};
use axum::extract::State;
use schemas::{
    events::merchandising::{MatchKind, QueryMatch, Rule, RuleAction, RuleCondition},
    ids::ProductId,
};
use serde::Deserialize;
use utoipa::ToSchema;

/// What happens on certain searches.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleInput {
    /// Whether it takes effect at all; it does, if absent.
    #[serde(default = "super::on")]
    enabled: bool,
    /// Lower runs first; 0, if absent.
    #[serde(default)]
    priority: i32,
    /// While when it takes effect; always, if absent.
    window: Option<WindowInput>,
    /// On which searches.
    when: RuleConditionInput,
    /// What it does, in this order; 1 to 50 actions.
    then: Vec<RuleActionInput>,
}

/// At least one of the two; both have to hold if both are said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleConditionInput {
    /// What is searched for.
    query: Option<QueryMatchInput>,
    /// The slug of the category that is looked at.
    category: Option<String>,
}

/// A condition on the query.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryMatchInput {
    /// `is`, `contains` or `starts_with`.
    #[serde(rename = "match")]
    #[schema(value_type = String)]
    how: MatchKind,
    /// At most 200 characters.
    text: String,
}

/// What a rule does.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RuleActionInput {
    /// Puts a product in a place.
    Pin {
        /// The product.
        #[schema(value_type = schemas::Uuid)]
        product_id: ProductId,
        /// The place, 1 to 100.
        position: u32,
    },
    /// Leaves a product out.
    Hide {
        /// The product.
        #[schema(value_type = schemas::Uuid)]
        product_id: ProductId,
    },
    /// Multiplies the score of what passes a filter.
    Boost {
        /// In the filter language, at most 2,000 characters.
        filter: String,
        /// Above 0, at most 100: above 1 lifts, below 1 buries.
        weight: f64,
    },
    /// Searches for something else; once per rule.
    Rewrite {
        /// What is searched for instead, at most 200 characters.
        text: String,
    },
    /// Narrows what is found.
    Filter {
        /// In the filter language, at most 2,000 characters.
        filter: String,
    },
    /// Sends the shopper to another page; once per rule.
    Redirect {
        /// An http or https address, or a path from `/`.
        url: String,
    },
    /// Shows a banner.
    Banner {
        /// Which one; the storefront knows it by this.
        id: String,
        /// What it says, at most 500 characters.
        text: Option<String>,
        /// Its picture.
        image_url: Option<String>,
        /// Where it leads.
        link_url: Option<String>,
    },
}

impl From<RuleActionInput> for RuleAction {
    fn from(input: RuleActionInput) -> Self {
        match input {
            RuleActionInput::Pin { product_id, position } => Self::Pin { product_id, position },
            RuleActionInput::Hide { product_id } => Self::Hide { product_id },
            RuleActionInput::Boost { filter, weight } => Self::Boost { filter, weight },
            RuleActionInput::Rewrite { text } => Self::Rewrite { text },
            RuleActionInput::Filter { filter } => Self::Filter { filter },
            RuleActionInput::Redirect { url } => Self::Redirect { url },
            RuleActionInput::Banner { id, text, image_url, link_url } => Self::Banner { id, text, image_url, link_url },
        }
    }
}

impl From<RuleInput> for Rule {
    fn from(input: RuleInput) -> Self {
        let query = input.when.query.map(|query| QueryMatch { how: query.how, text: query.text });
        Self {
            enabled: input.enabled,
            priority: input.priority,
            window: input.window.map(Into::into),
            when: RuleCondition { query, category: input.when.category },
            then: input.then.into_iter().map(Into::into).collect(),
        }
    }
}

/// Define a rule
///
/// Creates it, or replaces it as a whole; If-Match is needed when it is there already.
#[utoipa::path(
    put, path = "/v1/merchandising/rules/{name}", tag = "merchandising",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader), request_body = RuleInput,
    responses((status = 201, description = "Created", body = CommandAnswer), (status = 200, description = "Replaced or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "version_required", "quota_exceeded"])))
)]
pub(super) async fn define(
    State(app): State<App>,
    name: PathName,
    command: Command<RuleInput>,
) -> Result<CarriedOut, ApiError> {
    super::define::<Rule>(&app, name, command).await
}

/// Remove a rule
#[utoipa::path(
    delete, path = "/v1/merchandising/rules/{name}", tag = "merchandising",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required"])))
)]
pub(super) async fn remove(
    State(app): State<App>,
    name: PathName,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    super::remove::<Rule>(&app, name, command).await
}
