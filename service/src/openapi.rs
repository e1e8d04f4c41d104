//! What every OpenAPI document of souk says of problems: their schema, and an example with each status.

use schemas::problem::{Code, FieldError, MEDIA_TYPE, Problem};
use std::collections::BTreeMap;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, OpenApi, Ref, RefOr, Response,
        path::{Operation, PathItem},
    },
};

/// Key of the answer that stands for every status without one of its own.
const OTHERS: &str = "default";

/// Completes a document with what no route has to say for itself: its problems, and operation ids that are unique.
pub fn complete(api: &mut OpenApi) {
    describe_problems(api);
    tell_operations_apart(api);
}

/// Describes the problems of a document: each answer that is no success is [`Problem`], with an example; an operation
/// that does not say what else may happen gets one answer for all of it.
fn describe_problems(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    for (name, schema) in [(Problem::name(), Problem::schema()), (FieldError::name(), FieldError::schema())] {
        components.schemas.insert(name.into_owned(), schema);
    }
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        let others = Response::new("Any other problem; the code says which");
        operation.responses.responses.entry(OTHERS.to_owned()).or_insert_with(|| RefOr::T(others));
        for (status, response) in &mut operation.responses.responses {
            match response {
                RefOr::T(response) if !status.starts_with('2') => {
                    let content = problem_content(status, &response.description);
                    response.content.clear();
                    response.content.insert(MEDIA_TYPE.to_owned(), RefOr::T(content));
                }
                RefOr::T(_) | RefOr::Ref(_) => {}
            }
        }
    }
}

/// An id that several operations have gets the fixed parts of each one's path: `create` of `/v1/products` becomes
/// `create_products`.
fn tell_operations_apart(api: &mut OpenApi) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        *counts.entry(operation.operation_id.clone().unwrap_or_default()).or_default() += 1;
    }
    for (path, item) in &mut api.paths.paths {
        for operation in operations(item) {
            let Some(id) = operation.operation_id.as_mut().filter(|id| counts.get(id.as_str()) > Some(&1)) else {
                continue;
            };
            let fixed = path.split('/').skip(2).filter(|part| !part.starts_with('{') && part != id);
            let parts: Vec<String> = fixed.map(|part| part.replace('-', "_")).collect();
            *id = format!("{id}_{}", parts.join("_"));
        }
    }
}

/// Every operation of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn problem_content(status: &str, what: &str) -> Content {
    let mut content = Content::new(Some(Ref::from_schema_name(Problem::name())));
    // A problem is plain text and numbers: it always serialises.
    content.example = serde_json::to_value(example(status, what)).ok();
    content
}

/// A problem as it comes with a status.
fn example(status: &str, what: &str) -> Problem {
    // Of several codes with one status, the one that needs no further context goes first.
    let mut codes = [Code::NotFound].iter().chain(Code::ALL);
    let code = codes.find(|code| code.status().to_string() == status).copied().unwrap_or(Code::Unavailable);
    let problem = Problem::new(code);
    match code {
        Code::InvalidRequest | Code::ValidationFailed => {
            problem.errors(vec![FieldError::new("limit", "a whole number from 1 to 100 is expected")])
        }
        _ if status == OTHERS => problem.detail("the read database does not answer"),
        _ => problem.detail(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn completed(paths: &Value) -> Value {
        let document = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths});
        let mut api: OpenApi = serde_json::from_value(document).expect("a document");
        complete(&mut api);
        serde_json::to_value(api).expect("JSON")
    }

    #[test]
    fn every_status_that_is_no_success_is_a_problem_with_an_example() {
        let responses = json!({"200": {"description": "Found"}, "404": {"description": "No such product"}});
        let api = completed(&json!({"/v1/a": {"get": {"responses": responses}}}));
        let responses = &api["paths"]["/v1/a"]["get"]["responses"];
        let example = |status: &str| responses[status]["content"][MEDIA_TYPE]["example"].clone();
        assert_eq!(
            (&example("404")["code"], &example("404")["detail"]),
            (&json!("not_found"), &json!("No such product"))
        );
        assert_eq!(example("default")["code"], "unavailable");
        assert_eq!(responses["200"].get("content"), None);
        assert_eq!(responses["404"]["content"][MEDIA_TYPE]["schema"], json!({"$ref": "#/components/schemas/Problem"}));
        assert!(api["components"]["schemas"]["FieldError"].is_object());
    }

    #[test]
    fn operations_of_one_name_are_told_apart_by_their_paths() {
        let of = |id: &str| json!({"operationId": id, "responses": {}});
        let api = completed(&json!({
            "/v1/products": {"post": of("create"), "get": of("all")},
            "/v1/dead-letters/{id}/create": {"post": of("create")},
        }));
        let id = |path: &str, method: &str| api["paths"][path][method]["operationId"].clone();
        assert_eq!(id("/v1/products", "post"), "create_products");
        assert_eq!(id("/v1/products", "get"), "all");
        assert_eq!(id("/v1/dead-letters/{id}/create", "post"), "create_dead_letters");
    }
}
