//! The parameters of a search, read one by one so that each error names its own.

use super::{super::Refusal, filter};
use crate::queries::search::Mode;
use ::search::query::{Facet, MAX_FACETS, MAX_OFFSET, MAX_TEXT_CHARS, SearchRequest, Sort};
use schemas::{ids::TenantId, money::Currency};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;
const DEFAULT_FACET_VALUES: u32 = 10;
const MAX_FILTERS: usize = 32;

/// A search as asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// How hits are found.
    pub mode: Mode,
    /// What is searched for.
    pub request: SearchRequest,
}

/// Reads a query string. Parameters of other layers (tenant, token, wait_ms) are left alone; unknown
/// ones are refused, since a misspelt filter would show the wrong products.
///
/// # Errors
/// [`Refusal`] names the parameter and, inside a filter, the position.
pub fn read(tenant: TenantId, query: &str) -> Result<Asked, Refusal> {
    let mut asked = Asked { mode: Mode::Lexical, request: SearchRequest::text(tenant, "", DEFAULT_LIMIT) };
    let (mut sort, mut filters, mut facet_limit) = (String::new(), Vec::new(), DEFAULT_FACET_VALUES);
    let mut currency: Currency = usd()?;
    for (name, value) in pairs(query) {
        match name.as_str() {
            "q" if value.chars().count() > MAX_TEXT_CHARS => {
                return Err(Refusal::parameter("q", format!("at most {MAX_TEXT_CHARS} characters are searched for")));
            }
            "q" => asked.request.text = value,
            "mode" => asked.mode = mode(&value)?,
            "limit" => asked.request.limit = number("limit", &value, 0, MAX_LIMIT)?,
            "offset" => asked.request.offset = number("offset", &value, 0, MAX_OFFSET)?,
            "facet_limit" => {
                facet_limit = u32::try_from(number("facet_limit", &value, 1, 100)?).unwrap_or(DEFAULT_FACET_VALUES);
            }
            "facets" => asked.request.facets = facets(&value)?,
            "currency" => {
                currency = value.parse().map_err(|error: schemas::money::InvalidCurrency| {
                    Refusal::parameter("currency", error.to_string())
                })?;
            }
            "sort" => sort = value,
            "filter" => filters.push(value),
            "tenant" | "token" | "wait_ms" => {}
            _ => return Err(Refusal::parameter(&name, "there is no such parameter; /openapi.json lists them")),
        }
    }
    if filters.len() > MAX_FILTERS {
        return Err(Refusal::parameter("filter", format!("at most {MAX_FILTERS} filters can be combined")));
    }
    asked.request.filters = filters.iter().map(|text| filter::parse(text, currency)).collect::<Result<_, _>>()?;
    asked.request.sort = order(&sort, currency)?;
    asked.request.facets.iter_mut().for_each(|facet| facet.limit = facet_limit);
    Ok(asked)
}

fn usd() -> Result<Currency, Refusal> {
    "USD".parse().map_err(|error: schemas::money::InvalidCurrency| Refusal::parameter("currency", error.to_string()))
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

fn number(name: &str, value: &str, least: usize, most: usize) -> Result<usize, Refusal> {
    let parsed = value.parse().ok().filter(|number| (least..=most).contains(number));
    parsed.ok_or_else(|| Refusal::parameter(name, format!("a whole number from {least} to {most} is expected")))
}

fn facets(value: &str) -> Result<Vec<Facet>, Refusal> {
    let names: Vec<&str> = value.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.len() > MAX_FACETS {
        return Err(Refusal::parameter("facets", format!("at most {MAX_FACETS} facets can be counted at once")));
    }
    let mut facets = Vec::new();
    for name in names {
        let known = matches!(name, "brand" | "category" | "available")
            || name.strip_prefix("attr.").is_some_and(|rest| !rest.is_empty());
        if !known {
            return Err(Refusal::parameter(
                "facets",
                format!("`{name}` is no facet; there are brand, category, available and attr.<name>"),
            ));
        }
        facets.push(Facet { field: name.to_owned(), limit: DEFAULT_FACET_VALUES });
    }
    Ok(facets)
}

fn order(value: &str, currency: Currency) -> Result<Sort, Refusal> {
    match value {
        "" | "relevance" => Ok(Sort::Relevance),
        "price" => Ok(Sort::PriceAscending(currency)),
        "-price" => Ok(Sort::PriceDescending(currency)),
        "title" => Ok(Sort::Title),
        "released" => Ok(Sort::Oldest),
        "-released" => Ok(Sort::Newest),
        _ => Err(Refusal::parameter("sort", "relevance, price, -price, title, released or -released is expected")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::Uuid;

    fn tenant() -> TenantId {
        TenantId(Uuid::from_u128(1))
    }

    #[test]
    fn a_full_request_is_read() {
        let asked = read(tenant(), "q=lap+top&mode=hybrid&limit=5&facets=brand,attr.color&filter=brand:HP&sort=-price")
            .expect("read");
        assert_eq!((asked.mode, asked.request.text.as_str(), asked.request.limit), (Mode::Hybrid, "lap top", 5));
        assert_eq!((asked.request.facets.len(), asked.request.filters.len()), (2, 1));
        assert!(matches!(asked.request.sort, Sort::PriceDescending(_)));
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
        ] {
            let problem = read(tenant(), query).expect_err(query).0;
            assert_eq!(problem.errors[0].pointer, name);
        }
    }

    proptest! {
        #[test]
        fn any_query_string_is_read_or_refused(query in "\\PC{0,120}") {
            let _ = read(tenant(), &query);
        }

        #[test]
        fn any_filter_is_read_or_refused(text in "(brand|price|attr\\.a|available|category)?:?[\\PC\"]{0,40}") {
            let _ = filter::parse(&text, "USD".parse().expect("a code"));
        }
    }
}
