//! What staff have defined, applied to a search: the very path of the live query, drafts included.

use crate::definitions::{Definitions, Named, ReadRule, settings, words};
use schemas::{
    Timestamp,
    events::merchandising::{Experiment, FacetSetting, MatchKind, RuleAction, Window},
    filter::{self, Field, Filter, Test},
    ids::ProductId,
};
use search::query::{SearchRequest, Steering};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What steering adds to an answer beside its effect on the hits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Shown {
    /// The rules that took effect, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// What was searched for instead, if a rule rewrote the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewritten: Option<String>,
    /// Where to send the shopper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// Banners to show.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub banners: Vec<Banner>,
    /// How facets are to be shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facet_display: Vec<FacetSetting>,
    /// The experiment and the arm of this client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Arm>,
}

/// Where a rule sends the shopper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Redirect {
    /// The address, within the shop or beyond.
    pub url: String,
}

/// A banner that a rule shows beside the hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Banner {
    /// Its id, to tell banners apart.
    pub id: String,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Where it leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_url: Option<String>,
}

/// A client's arm of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = ExperimentArm)]
pub struct Arm {
    /// The experiment.
    pub name: String,
    /// The arm.
    pub arm: String,
    /// Its ranking settings.
    #[serde(skip)]
    pub ranking: Map<String, Value>,
    /// Why its settings are ignored, if they are.
    #[serde(skip)]
    pub ignored: Option<String>,
}

/// Applies definitions to a request, as of a moment.
pub fn apply(request: &mut SearchRequest, definitions: &Definitions, client: Option<&str>, now: Timestamp) -> Shown {
    let mut shown = Shown::default();
    let mut steering = Steering { synonyms: Arc::clone(&definitions.synonyms), ..Steering::default() };
    let typed = words(&request.text);
    let category = category(request.filter.as_ref());
    let mut filters = Vec::new();
    for read in &definitions.rules {
        let rule = &read.rule;
        if rule.enabled && during(rule.window.as_ref(), now) && applies(read, &typed, category.as_deref()) {
            shown.rules.push(read.name.clone());
            rule.then.iter().for_each(|action| act(action, &mut steering, &mut filters, &mut shown));
        }
    }
    if let Some(text) = &shown.rewritten {
        request.text.clone_from(text);
    }
    if !filters.is_empty() {
        let own = request.filter.take().map(|filter| match filter {
            Filter::All(parts) => parts,
            other => vec![other],
        });
        request.filter = Some(Filter::All(own.into_iter().flatten().chain(filters).collect()));
    }
    shown.facet_display = display(definitions, category.as_deref());
    shown.experiment = client.and_then(|client| arm(definitions, client, now));
    request.steering = Arc::new(steering);
    shown
}

fn during(window: Option<&Window>, now: Timestamp) -> bool {
    window
        .is_none_or(|window| window.from.is_none_or(|from| from <= now) && window.until.is_none_or(|until| now < until))
}

fn applies(ReadRule { rule, words, .. }: &ReadRule, typed: &[String], category: Option<&str>) -> bool {
    let query = rule.when.query.as_ref().is_none_or(|query| match query.how {
        MatchKind::Is => typed == words,
        MatchKind::StartsWith => typed.starts_with(words),
        MatchKind::Contains => !words.is_empty() && typed.windows(words.len()).any(|run| run == words),
    });
    query && rule.when.category.as_deref().is_none_or(|wanted| category == Some(wanted))
}

/// The one category a search is within.
fn category(filter: Option<&Filter>) -> Option<String> {
    let parts = match filter? {
        Filter::All(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    parts.iter().find_map(|part| match part {
        Filter::Is(Field::Category, Test::In(values)) if values.len() == 1 => values.first().cloned(),
        _ => None,
    })
}

/// Of two rules that want the same place or product, the first has it.
fn act(action: &RuleAction, steering: &mut Steering, filters: &mut Vec<Filter>, shown: &mut Shown) {
    match action {
        RuleAction::Pin { product_id, position } => {
            let place = *position as usize;
            let free = |(taken, id): &(usize, ProductId)| *taken != place && id != product_id;
            if steering.pins.iter().all(free) {
                steering.pins.push((place, *product_id));
            }
        }
        RuleAction::Hide { product_id } => steering.hidden.push(*product_id),
        // A filter that could be read when the rule was defined can be read now.
        RuleAction::Boost { filter, weight } => {
            #[expect(clippy::cast_possible_truncation, reason = "a factor from 0 to 100")]
            steering.boosts.extend(filter::parse(filter).ok().map(|filter| (filter, *weight as f32)));
        }
        RuleAction::Filter { filter } => filters.extend(filter::parse(filter).ok()),
        RuleAction::Rewrite { text } => {
            shown.rewritten.get_or_insert_with(|| text.clone());
        }
        RuleAction::Redirect { url } => {
            shown.redirect.get_or_insert_with(|| Redirect { url: url.clone() });
        }
        RuleAction::Banner { id, text, image_url, link_url } => {
            let (text, image_url, link_url) = (text.clone(), image_url.clone(), link_url.clone());
            shown.banners.push(Banner { id: id.clone(), text, image_url, link_url });
        }
    }
}

/// The display for a category, or else the shop's.
fn display(definitions: &Definitions, category: Option<&str>) -> Vec<FacetSetting> {
    let of = |wanted: Option<&str>| {
        definitions.facets().iter().find(|display| display.content.category.as_deref() == wanted)
    };
    let own = category.and_then(|category| of(Some(category)));
    own.or_else(|| of(None)).map(|display| display.content.facets.clone()).unwrap_or_default()
}

/// The arm of a client: always the same for the same name of experiment and client.
fn arm(definitions: &Definitions, client: &str, now: Timestamp) -> Option<Arm> {
    let running = |named: &&Named<Experiment>| named.content.enabled && during(named.content.window.as_ref(), now);
    let Named { name, content } = definitions.experiments().iter().find(running)?;
    let hash = Sha256::digest(format!("{name}\n{client}").as_bytes());
    let mut place = u32::from(u16::from_be_bytes([hash[0], hash[1]])) * 100 / (u32::from(u16::MAX) + 1);
    for arm in &content.arms {
        if place < arm.share {
            let (ranking, ignored) = match settings(arm) {
                Ok(ranking) => (ranking, None),
                Err(error) => {
                    (Map::new(), Some(format!("the ranking settings of arm {} are ignored: {error}", arm.name)))
                }
            };
            return Some(Arm { name: name.clone(), arm: arm.name.clone(), ranking, ignored });
        }
        place -= arm.share;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::Written;
    use schemas::{Uuid, events::merchandising::Rule, ids::TenantId};
    use serde_json::json;

    fn rule(json: Value) -> Named<Rule> {
        Named { name: "r".to_owned(), content: serde_json::from_value(json).expect("a rule") }
    }

    fn steered(text: &str, filter: Option<&str>, definitions: &Definitions) -> (SearchRequest, Shown) {
        let mut request = SearchRequest::text(TenantId(Uuid::from_u128(1)), text, 10);
        request.filter = filter.map(|filter| filter::parse(filter).expect("a filter"));
        let shown = apply(&mut request, definitions, Some("client"), Timestamp::UNIX_EPOCH);
        (request, shown)
    }

    #[test]
    fn rules_apply_to_their_queries_and_categories() {
        let rules = vec![
            rule(json!({"enabled": true, "priority": 0, "when": {"query": {"match": "contains", "text": "Laptop"}},
                "then": [{"type": "filter", "filter": "available:true"}, {"type": "boost", "filter": "brand:HP", "weight": 2.0}]})),
            rule(
                json!({"enabled": true, "priority": 1, "when": {"query": {"match": "is", "text": "tv"}, "category": "video"},
                "then": [{"type": "rewrite", "text": "television"}, {"type": "redirect", "url": "/tv"}]}),
            ),
            rule(
                json!({"enabled": false, "priority": 2, "when": {"query": {"match": "starts_with", "text": "g"}}, "then": []}),
            ),
        ];
        let definitions = Definitions::of(Written { rules, ..Written::default() }, String::new());
        let (request, shown) = steered("gaming laptop 15", Some("brand:Dell"), &definitions);
        assert_eq!(request.filter.map(|filter| filter.to_string()).as_deref(), Some("(brand:Dell AND available:true)"));
        assert_eq!((request.steering.boosts.len(), shown.rules.len()), (1, 1));
        assert_eq!(steered("laptops", None, &definitions).1, Shown::default());
        assert_eq!(steered("tv", None, &definitions).1.rules.len(), 0);
        let (request, shown) = steered("TV", Some("category:video"), &definitions);
        assert_eq!((request.text.as_str(), shown.redirect), ("television", Some(Redirect { url: "/tv".to_owned() })));
    }

    fn trying(experiment: Experiment) -> Definitions {
        let experiments = vec![Named { name: "e".to_owned(), content: experiment }];
        Definitions::of(Written { experiments, ..Written::default() }, String::new())
    }

    #[test]
    fn an_arm_with_a_wrong_setting_searches_as_if_it_had_none() {
        for (ranking, said) in [(json!({"b": 0.5, "speed": 1.0}), "speed"), (json!({"window": 501.0}), "window")] {
            let arms = json!([{"name": "a", "share": 100, "ranking": ranking}]);
            let experiment = serde_json::from_value(json!({"enabled": true, "arms": arms})).expect("an experiment");
            let arm = arm(&trying(experiment), "client", Timestamp::UNIX_EPOCH).expect("an arm");
            assert!(arm.ranking.is_empty());
            assert!(arm.ignored.expect("a reason").contains(said));
        }
    }

    #[test]
    fn a_client_stays_in_its_arm_and_all_arms_are_used() {
        let experiment: Experiment = serde_json::from_value(json!({"enabled": true, "arms": [
            {"name": "a", "share": 50, "ranking": {}}, {"name": "b", "share": 50, "ranking": {"b": 0.5}}]}))
        .expect("an experiment");
        let definitions = trying(experiment);
        let arms: Vec<String> = (0..1_000)
            .filter_map(|client| arm(&definitions, &format!("c{client}"), Timestamp::UNIX_EPOCH))
            .map(|arm| arm.arm)
            .collect();
        let first = arms.iter().filter(|arm| *arm == "a").count();
        assert!(arms.len() == 1_000 && (400..600).contains(&first), "{first}");
        assert_eq!(arm(&definitions, "c1", Timestamp::UNIX_EPOCH), arm(&definitions, "c1", Timestamp::UNIX_EPOCH));
    }
}
