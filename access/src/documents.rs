//! What OpenAPI documents say of access: the security requirement of each operation, and in words who may call it.

use crate::rule::Rule;
use schemas::problem::Code;
use utoipa::openapi::{
    OpenApi,
    extensions::ExtensionsBuilder,
    path::{Operation, PathItem},
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

/// The extension that says in words who may call an operation.
const EXTENSION: &str = "x-souk-access";
/// The name of the scheme by which a key is sent.
const SCHEME: &str = "key";

/// Says of each operation of a path who may call it.
pub(crate) fn describe(path: &mut PathItem, rule: Rule) {
    let PathItem { get, put, post, delete, patch, .. } = path;
    for operation in [get, put, post, delete, patch].into_iter().flatten() {
        let key = |scopes: Vec<&str>| SecurityRequirement::new(SCHEME, scopes);
        operation.security = Some(match rule {
            Rule::Anybody => Vec::new(),
            // With a key, or without one at the shop's own host.
            Rule::Search | Rule::Shopper => vec![SecurityRequirement::default(), key(Vec::new())],
            Rule::Staff(permission) => vec![key(vec![permission.as_str()])],
            Rule::Owner => vec![key(vec!["owner"])],
            Rule::Admin => vec![key(vec!["admin"])],
        });
        let said = ExtensionsBuilder::new().add(EXTENSION, rule.words()).build();
        operation.extensions.get_or_insert_default().merge(said);
    }
}

/// Describes how a key is sent.
pub(crate) fn describe_key(document: &mut OpenApi) {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key, as `Authorization: Bearer <key>`"))
        .build();
    document.components.get_or_insert_default().add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
}

/// The problems that an operation may have for who calls it.
#[must_use]
pub fn problems(operation: &Operation) -> Vec<Code> {
    let is_guarded = operation.security.as_ref().is_some_and(|security| !security.is_empty());
    if is_guarded { vec![Code::Unauthorized, Code::Forbidden] } else { Vec::new() }
}
