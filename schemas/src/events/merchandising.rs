//! Events of the merchandising context: what staff define under names of their own to steer search.
//! Each `…Defined` carries the whole new state.

use crate::{Timestamp, events::EncodeError, ids::ProductId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// What can be defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MerchandisingKind {
    /// Words that mean each other.
    Synonyms,
    /// What happens on certain searches.
    Rules,
    /// Which facets are shown, and how.
    Facets,
    /// Ranking settings that are tried against each other.
    Experiments,
}

impl MerchandisingKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Synonyms, Self::Rules, Self::Facets, Self::Experiments];

    /// The word in addresses and in the read side's table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synonyms => "synonyms",
            Self::Rules => "rules",
            Self::Facets => "facets",
            Self::Experiments => "experiments",
        }
    }

    /// The aggregate, as event types name it.
    #[must_use]
    pub const fn aggregate(self) -> &'static str {
        match self {
            Self::Synonyms => "synonym_set",
            Self::Rules => "rule",
            Self::Facets => "facet_display",
            Self::Experiments => "experiment",
        }
    }
}

impl fmt::Display for MerchandisingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is not one of [`MerchandisingKind::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` can't be defined; there are synonyms, rules, facets and experiments")]
pub struct UnknownKind(pub String);

impl FromStr for MerchandisingKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// Terms that mean each other, or that mean others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SynonymSet {
    /// Each term means each other.
    MultiWay {
        /// The terms.
        terms: Vec<String>,
    },
    /// Who asks for one of these also means those, but not the other way round.
    OneWay {
        /// What is asked for.
        from: Vec<String>,
        /// What it means, too.
        to: Vec<String>,
    },
}

/// A span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// From when, inclusive; always, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when, exclusive; for ever, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// How a query is compared with a rule's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchKind {
    /// The query is the text.
    Is,
    /// The query holds the text.
    Contains,
    /// The query starts with the text.
    StartsWith,
}

/// A condition on the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueryMatch {
    /// How it is compared.
    #[serde(rename = "match")]
    pub how: MatchKind,
    /// With what.
    pub text: String,
}

/// When a rule takes effect: all that is said has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCondition {
    /// What is searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryMatch>,
    /// The slug of the category that is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RuleAction {
    /// Puts a product in a place.
    Pin {
        /// The product.
        product_id: ProductId,
        /// The place, from 1.
        position: u32,
    },
    /// Leaves a product out.
    Hide {
        /// The product.
        product_id: ProductId,
    },
    /// Multiplies the score of what passes a filter.
    Boost {
        /// In the filter language.
        filter: String,
        /// Above 1 lifts, below 1 buries.
        weight: f64,
    },
    /// Searches for something else.
    Rewrite {
        /// What is searched for instead.
        text: String,
    },
    /// Narrows what is found.
    Filter {
        /// In the filter language.
        filter: String,
    },
    /// Sends the shopper to another page.
    Redirect {
        /// Its address, absolute or from the shop's root.
        url: String,
    },
    /// Shows a banner.
    Banner {
        /// Which one; the storefront knows it by this.
        id: String,
        /// What it says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        /// Where it leads.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link_url: Option<String>,
    },
}

/// What happens on certain searches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Whether it takes effect at all.
    pub enabled: bool,
    /// Lower runs first.
    pub priority: i32,
    /// While when it takes effect; always, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// On which searches.
    pub when: RuleCondition,
    /// What it does.
    pub then: Vec<RuleAction>,
}

/// The order of a facet's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FacetOrder {
    /// The most frequent first.
    Count,
    /// By the value itself.
    Value,
    /// As listed; what is not listed comes after.
    Listed,
}

/// How one facet is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct FacetSetting {
    /// `brand`, `category`, `available`, `price` or `attr.<name>`.
    pub field: String,
    /// What people read above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The most values that are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The order of its values.
    pub order: FacetOrder,
    /// The values in their order, for [`FacetOrder::Listed`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed_values: Vec<String>,
    /// Whether it is left out.
    pub hidden: bool,
}

/// Which facets are shown, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FacetDisplay {
    /// The slug of the category it is for; the whole shop, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The facets.
    pub facets: Vec<FacetSetting>,
}

/// One way of ranking in an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentArm {
    /// Its name.
    pub name: String,
    /// The percentage of shoppers who get it.
    pub share: u32,
    /// Ranking settings by name that differ from the shop's.
    pub ranking: BTreeMap<String, f64>,
}

/// Ranking settings that are tried against each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Experiment {
    /// Whether it runs at all.
    pub enabled: bool,
    /// While when it runs; always, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The ways of ranking; their shares make 100.
    pub arms: Vec<ExperimentArm>,
}

/// A synonym set was defined or replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SynonymSetDefined {
    /// Its name, unique among the tenant's synonym sets; the aggregate id is derived from it.
    pub name: String,
    /// The whole new state.
    pub content: SynonymSet,
}

/// A synonym set was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SynonymSetRemoved {
    /// Its name.
    pub name: String,
}

/// A rule was defined or replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleDefined {
    /// Its name, unique among the tenant's rules; the aggregate id is derived from it.
    pub name: String,
    /// The whole new state.
    pub content: Rule,
}

/// A rule was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleRemoved {
    /// Its name.
    pub name: String,
}

/// A facet display was defined or replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FacetDisplayDefined {
    /// Its name, unique among the tenant's facet displays; the aggregate id is derived from it.
    pub name: String,
    /// The whole new state.
    pub content: FacetDisplay,
}

/// A facet display was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FacetDisplayRemoved {
    /// Its name.
    pub name: String,
}

/// An experiment was defined or replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentDefined {
    /// Its name, unique among the tenant's experiments; the aggregate id is derived from it.
    pub name: String,
    /// The whole new state.
    pub content: Experiment,
}

/// An experiment was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentRemoved {
    /// Its name.
    pub name: String,
}

super::events! {
    /// What happens to what steers search.
    MerchandisingEvent of Merchandising; {
        /// A synonym set was defined or replaced.
        SynonymSetDefined(SynonymSetDefined) = "souk.merchandising.synonym_set.defined.v1",
        /// A synonym set was removed.
        SynonymSetRemoved(SynonymSetRemoved) = "souk.merchandising.synonym_set.removed.v1",
        /// A rule was defined or replaced.
        RuleDefined(RuleDefined) = "souk.merchandising.rule.defined.v1",
        /// A rule was removed.
        RuleRemoved(RuleRemoved) = "souk.merchandising.rule.removed.v1",
        /// A facet display was defined or replaced.
        FacetDisplayDefined(FacetDisplayDefined) = "souk.merchandising.facet_display.defined.v1",
        /// A facet display was removed.
        FacetDisplayRemoved(FacetDisplayRemoved) = "souk.merchandising.facet_display.removed.v1",
        /// An experiment was defined or replaced.
        ExperimentDefined(ExperimentDefined) = "souk.merchandising.experiment.defined.v1",
        /// An experiment was removed.
        ExperimentRemoved(ExperimentRemoved) = "souk.merchandising.experiment.removed.v1",
    }
}

impl MerchandisingEvent {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> MerchandisingKind {
        match self {
            Self::SynonymSetDefined(_) | Self::SynonymSetRemoved(_) => MerchandisingKind::Synonyms,
            Self::RuleDefined(_) | Self::RuleRemoved(_) => MerchandisingKind::Rules,
            Self::FacetDisplayDefined(_) | Self::FacetDisplayRemoved(_) => MerchandisingKind::Facets,
            Self::ExperimentDefined(_) | Self::ExperimentRemoved(_) => MerchandisingKind::Experiments,
        }
    }

    /// The name of what it is about.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::SynonymSetDefined(event) => &event.name,
            Self::SynonymSetRemoved(event) => &event.name,
            Self::RuleDefined(event) => &event.name,
            Self::RuleRemoved(event) => &event.name,
            Self::FacetDisplayDefined(event) => &event.name,
            Self::FacetDisplayRemoved(event) => &event.name,
            Self::ExperimentDefined(event) => &event.name,
            Self::ExperimentRemoved(event) => &event.name,
        }
    }

    /// Whether it tells that something was removed.
    #[must_use]
    pub const fn is_removal(&self) -> bool {
        match self {
            Self::SynonymSetRemoved(_)
            | Self::RuleRemoved(_)
            | Self::FacetDisplayRemoved(_)
            | Self::ExperimentRemoved(_) => true,
            Self::SynonymSetDefined(_)
            | Self::RuleDefined(_)
            | Self::FacetDisplayDefined(_)
            | Self::ExperimentDefined(_) => false,
        }
    }

    /// The new state as JSON text; none if it was removed.
    ///
    /// # Errors
    /// [`EncodeError`] if a value of it has no JSON form.
    pub fn content_json(&self) -> Result<Option<String>, EncodeError> {
        let written = match self {
            Self::SynonymSetDefined(event) => serde_json::to_string(&event.content),
            Self::RuleDefined(event) => serde_json::to_string(&event.content),
            Self::FacetDisplayDefined(event) => serde_json::to_string(&event.content),
            Self::ExperimentDefined(event) => serde_json::to_string(&event.content),
            Self::SynonymSetRemoved(_)
            | Self::RuleRemoved(_)
            | Self::FacetDisplayRemoved(_)
            | Self::ExperimentRemoved(_) => return Ok(None),
        };
        let failed =
            |error: serde_json::Error| EncodeError { event_type: self.event_type(), reason: error.to_string() };
        written.map(Some).map_err(failed)
    }
}
