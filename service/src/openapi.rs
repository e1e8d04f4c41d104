//! What every OpenAPI document of souk says of problems: which codes can come of an operation, with an example of each.

use schemas::problem::{Code, FieldError, MEDIA_TYPE, Problem, ProblemType};
use std::collections::BTreeMap;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, OpenApi, Ref, RefOr, Response,
        example::ExampleBuilder,
        path::{Operation, ParameterIn, PathItem},
    },
};

/// Key of the answer that stands for every status without one of its own.
const OTHERS: &str = "default";
/// The extension by which a route names the codes of its own problems: `extensions(("x-problems" = json!(["not_found"])))`.
/// They become answers; the extension itself is not in the document.
const OWN: &str = "x-problems";

/// Completes a document with what no route has to say for itself: its problems, and operation ids that are unique.
/// `shared` gives the codes that operations of one kind have in common, such as those with a tenant.
pub fn complete(api: &mut OpenApi, shared: impl Fn(&Operation) -> Vec<Code>) {
    describe_problems(api, shared);
    tell_operations_apart(api);
}

/// Whether an operation takes a header.
#[must_use]
pub fn takes_header(operation: &Operation, name: &str) -> bool {
    takes(operation, &ParameterIn::Header, name)
}

/// Whether an operation takes a query parameter.
#[must_use]
pub fn takes_query(operation: &Operation, name: &str) -> bool {
    takes(operation, &ParameterIn::Query, name)
}

fn takes(operation: &Operation, place: &ParameterIn, name: &str) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == *place && parameter.name.eq_ignore_ascii_case(name),
        RefOr::Ref(_) => false,
    })
}

/// Describes the problems of a document: each answer that is no success is [`Problem`], with an example of each code
/// that it may have; whatever else may happen is one more answer.
fn describe_problems(api: &mut OpenApi, shared: impl Fn(&Operation) -> Vec<Code>) {
    let components = api.components.get_or_insert_default();
    for (name, schema) in [(Problem::name(), Problem::schema()), (FieldError::name(), FieldError::schema())] {
        components.schemas.insert(name.into_owned(), schema);
    }
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        let mut kinds: Vec<ProblemType> = shared(operation).into_iter().map(Into::into).collect();
        kinds.extend(own(operation));
        let responses = &mut operation.responses.responses;
        for status in kinds.iter().map(|kind| kind.status.to_string()).chain([OTHERS.to_owned()]) {
            responses.entry(status).or_insert_with(|| RefOr::T(Response::new("")));
        }
        for (status, response) in responses {
            match response {
                RefOr::T(response) if !status.starts_with('2') => describe(response, status, &kinds),
                RefOr::T(_) | RefOr::Ref(_) => {}
            }
        }
    }
}

/// The problems that an operation names itself; the extension that did so is taken away.
fn own(operation: &mut Operation) -> Vec<ProblemType> {
    let Some(extensions) = &mut operation.extensions else { return Vec::new() };
    let named = extensions.remove(OWN).unwrap_or_default();
    if extensions.is_empty() {
        operation.extensions = None;
    }
    let codes = named.as_array().into_iter().flatten().filter_map(|code| code.as_str());
    let of = |code: &str| Code::ALL.iter().find(|known| known.as_str() == code).map(|known| (*known).into());
    codes.filter_map(of).collect()
}

/// Describes an answer that is a problem of one of these kinds. What its route says of it is said of the code that
/// stands for the status, unless another one does.
fn describe(response: &mut Response, status: &str, kinds: &[ProblemType]) {
    let said = std::mem::take(&mut response.description);
    let mut of_status: Vec<ProblemType> =
        kinds.iter().filter(|kind| kind.status.to_string() == status).copied().collect();
    if !said.is_empty() || of_status.is_empty() {
        let usual = usual(status);
        of_status.retain(|kind| *kind != usual);
        of_status.insert(0, usual);
    }
    let mut content = Content::new(Some(Ref::from_schema_name(Problem::name())));
    let mut parts = Vec::new();
    for (index, kind) in of_status.into_iter().enumerate() {
        let what = match (index, said.as_str(), status) {
            (_, _, OTHERS) => "Any other problem; the code says which",
            (0, said, _) if !said.is_empty() => said,
            _ => kind.title,
        };
        let part = if status == OTHERS { what.to_owned() } else { format!("`{}`: {what}", kind.code) };
        if !parts.contains(&part) {
            parts.push(part);
        }
        // A problem is plain text and numbers: it always serialises.
        let value = serde_json::to_value(example(kind, what, status)).ok();
        content.examples.insert(kind.code.to_owned(), RefOr::T(ExampleBuilder::new().value(value).build()));
    }
    response.description = parts.join("; ");
    response.content.clear();
    response.content.insert(MEDIA_TYPE.to_owned(), RefOr::T(content));
}

/// Of several codes with one status, the one that needs no further context.
fn usual(status: &str) -> ProblemType {
    let mut codes = [Code::NotFound].iter().chain(Code::ALL);
    codes.find(|code| code.status().to_string() == status).copied().unwrap_or(Code::Unavailable).into()
}

/// A problem as it comes with a status.
fn example(kind: ProblemType, what: &str, status: &str) -> Problem {
    let problem = Problem::new(kind);
    let wrong = [Code::InvalidRequest, Code::ValidationFailed].map(ProblemType::from);
    match status {
        OTHERS => problem.detail("the read database does not answer"),
        _ if wrong.contains(&kind) => {
            problem.errors(vec![FieldError::new("limit", "a whole number from 1 to 100 is expected")])
        }
        _ => problem.detail(what),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn completed(paths: &Value) -> Value {
        let document = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths});
        let mut api: OpenApi = serde_json::from_value(document).expect("a document");
        complete(&mut api, |operation| {
            if takes_header(operation, "x-tenant-id") { vec![Code::TenantNotFound] } else { Vec::new() }
        });
        serde_json::to_value(api).expect("JSON")
    }

    #[test]
    fn every_status_that_is_no_success_is_a_problem_with_an_example() {
        let responses = json!({"200": {"description": "Found"}, "404": {"description": "No such product"}});
        let api = completed(&json!({"/v1/a": {"get": {"responses": responses}}}));
        let responses = &api["paths"]["/v1/a"]["get"]["responses"];
        let example = |status: &str, code: &str| &responses[status]["content"][MEDIA_TYPE]["examples"][code]["value"];
        let not_found = example("404", "not_found");
        assert_eq!((&not_found["code"], &not_found["detail"]), (&json!("not_found"), &json!("No such product")));
        assert_eq!(responses["404"]["description"], "`not_found`: No such product");
        assert_eq!(example("default", "unavailable")["code"], "unavailable");
        assert_eq!(responses["200"].get("content"), None);
        assert_eq!(responses["404"]["content"][MEDIA_TYPE]["schema"], json!({"$ref": "#/components/schemas/Problem"}));
        assert!(api["components"]["schemas"]["FieldError"].is_object());
    }

    #[test]
    fn codes_of_a_kind_and_those_of_a_route_are_told_together() {
        let tenant = json!({"name": "X-Tenant-Id", "in": "header", "required": false, "schema": {"type": "string"}});
        let with = |responses: Value| {
            let own = json!(["slug_taken", "sku_taken"]);
            let api = completed(&json!({"/v1/a": {"put": {
                "parameters": [tenant.clone()], "responses": responses, "x-problems": own}}}));
            api["paths"]["/v1/a"]["put"].clone()
        };
        let plain = with(json!({}));
        let codes = |operation: &Value, status: &str| -> Vec<String> {
            let examples = operation["responses"][status]["content"][MEDIA_TYPE]["examples"].as_object();
            examples.into_iter().flatten().map(|(code, _)| code.clone()).collect()
        };
        assert_eq!(codes(&plain, "409"), ["sku_taken", "slug_taken"].map(str::to_owned));
        assert_eq!(codes(&plain, "404"), ["tenant_not_found"].map(str::to_owned));
        assert_eq!(plain.get("x-problems"), None);
        let said = with(json!({"404": {"description": "No such product"}}));
        assert_eq!(codes(&said, "404"), ["not_found", "tenant_not_found"].map(str::to_owned));
        assert_eq!(
            said["responses"]["404"]["description"],
            "`not_found`: No such product; `tenant_not_found`: There is no such tenant"
        );
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
