//! The parameters of a search in a query string, read one by one so that each error names its own.

use super::body::{FacetBody, SearchBody};
use crate::problem::Refusal;
use ::search::searcher::Mode;
use serde_json::Value;

const MAX_FILTERS: usize = 32;

/// Reads a query string. Parameters of other layers (tenant, token, wait_ms) are left alone; unknown
/// ones are refused, since a misspelt filter would show the wrong products.
///
/// # Errors
/// [`Refusal`] names the parameter.
pub fn read(query: &str) -> Result<SearchBody, Refusal> {
    let mut body = SearchBody::default();
    let mut filters = Vec::new();
    for (name, value) in pairs(query) {
        match name.as_str() {
            "q" => body.q = value,
            "mode" => body.mode = Some(mode(&value)?),
            "filter" => filters.push(Value::String(value)),
            "limit" => body.limit = Some(number("limit", &value)?),
            "offset" => body.offset = Some(number("offset", &value)?),
            "cursor" => body.cursor = Some(value),
            "facet_limit" => body.facet_limit = Some(number("facet_limit", &value)?),
            "facets" => {
                let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                body.facets = names.map(|name| FacetBody::Name(name.to_owned())).collect();
            }
            "currency" => body.currency = Some(value),
            "sort" => body.sort = Some(value),
            "typing" => body.typing = flag("typing", &value)?,
            "understand" => body.understand = Some(flag("understand", &value)?),
            "highlight" => body.highlight = flag("highlight", &value)?,
            "explain" => body.explain = flag("explain", &value)?,
            "steering" => body.steering = Some(flag("steering", &value)?),
            "client" => body.client = Some(value),
            "generation" => body.generation = Some(value),
            "tenant" | "token" | "wait_ms" => {}
            _ => match name.strip_prefix("ranking.") {
                Some(setting) => {
                    let number = value.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
                    let number = number.ok_or_else(|| Refusal::parameter(&name, "a number is expected"))?;
                    // Counts are whole numbers.
                    let whole = value.parse::<u64>().map_or(Value::Number(number), Value::from);
                    body.ranking.insert(setting.to_owned(), whole);
                }
                None => return Err(Refusal::parameter(&name, "there is no such parameter; /openapi.json lists them")),
            },
        }
    }
    if filters.len() > MAX_FILTERS {
        return Err(Refusal::parameter("filter", format!("at most {MAX_FILTERS} filters can be combined")));
    }
    body.filter = (!filters.is_empty()).then_some(Value::Array(filters));
    Ok(body)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(query).unwrap_or_default()
}

fn mode(value: &str) -> Result<Mode, Refusal> {
    match value {
        "lexical" => Ok(Mode::Lexical),
        "semantic" => Ok(Mode::Semantic),
        "hybrid" => Ok(Mode::Hybrid),
        _ => Err(Refusal::parameter("mode", "lexical, semantic or hybrid is expected")),
    }
}

fn flag(name: &str, value: &str) -> Result<bool, Refusal> {
    value.parse().map_err(|_| Refusal::parameter(name, "true or false is expected"))
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Refusal> {
    value.parse().map_err(|_| Refusal::parameter(name, "a whole number is expected"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::search::query::Sort;
    use proptest::prelude::*;
    use schemas::{Uuid, ids::TenantId};

    fn request(query: &str) -> Result<::search::query::SearchRequest, Refusal> {
        read(query)?.request(TenantId(Uuid::from_u128(1)))
    }

    #[test]
    fn a_full_request_is_read() {
        let query = "q=lap+top&mode=hybrid&limit=5&facets=brand,attr.color&filter=brand:HP&filter=price:..100&sort=-price&ranking.window=10";
        let body = read(query).expect("read");
        assert_eq!((body.mode, body.q.as_str()), (Some(Mode::Hybrid), "lap top"));
        let request = request(query).expect("read");
        assert_eq!((request.facets.len(), request.limit), (2, 5));
        assert_eq!(request.filter.map(|filter| filter.to_string()).as_deref(), Some("(brand:HP AND price<=100)"));
        assert!(matches!(request.sort, Sort::PriceDescending(_)));
        let ranking = body.ranking(::search::ranking::Ranking::default()).expect("read");
        assert_eq!(ranking.window, 10);
    }

    #[test]
    fn each_error_names_its_parameter() {
        for (query, name) in [
            ("limit=101", "limit"),
            ("offset=-1", "offset"),
            ("mode=fast", "mode"),
            ("sort=up", "sort"),
            ("colour=red", "colour"),
            ("facets=x", "facets"),
            ("typing=maybe", "typing"),
            ("filter=brand", "filter"),
            ("currency=dollar", "currency"),
        ] {
            let problem = request(query).expect_err(query).0;
            assert_eq!(problem.errors[0].pointer, name);
        }
        let body = read("ranking.speed=1").expect("read");
        let problem = body.ranking(::search::ranking::Ranking::default()).expect_err("unknown").0;
        assert_eq!(problem.errors[0].pointer, "ranking.speed");
    }

    #[test]
    fn a_filter_error_has_its_position() {
        assert_eq!(request("filter=brand:a,,b").expect_err("wrong").0.errors[0].position, Some(8));
    }

    proptest! {
        #[test]
        fn any_query_string_is_read_or_refused(query in "\\PC{0,120}") {
            let _ = request(&query);
        }
    }
}
