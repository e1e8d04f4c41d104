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
/// The name of the scheme by which a shopper's access token is sent.
const SESSION: &str = "session";
/// The name of the scheme by which a guest's token is sent.
const GUEST: &str = "guest";

/// Says of each operation of a path who may call it.
pub(crate) fn describe(path: &mut PathItem, rule: Rule) {
    let PathItem { get, put, post, delete, patch, .. } = path;
    for operation in [get, put, post, delete, patch].into_iter().flatten() {
        let key = |scopes: Vec<&str>| SecurityRequirement::new(SCHEME, scopes);
        let session = || SecurityRequirement::new(SESSION, Vec::<&str>::new());
        let guest = || SecurityRequirement::new(GUEST, Vec::<&str>::new());
        operation.security = Some(match rule {
            Rule::Anybody => Vec::new(),
            // With a key, or without one at the shop's own host.
            Rule::Search | Rule::Shopper | Rule::Named => {
                vec![SecurityRequirement::default(), key(Vec::new()), session(), guest()]
            }
            Rule::Customer => vec![session()],
            Rule::Buyer => vec![session(), guest()],
            Rule::Staff(permission) => vec![key(vec![permission.as_str()]), session()],
            Rule::Owner => vec![key(vec!["owner"]), session()],
            Rule::Admin => vec![key(vec!["admin"]), session()],
        });
        let said = ExtensionsBuilder::new().add(EXTENSION, rule.words()).build();
        operation.extensions.get_or_insert_default().merge(said);
    }
}

/// Describes how keys and access tokens are sent.
pub(crate) fn describe_key(document: &mut OpenApi) {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key, as `Authorization: Bearer <key>`"))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    let session = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "The access token of somebody who has signed in, as `POST /v1/sessions` answers it: `Authorization: Bearer <token>`",
        ))
        .build();
    components.add_security_scheme(SESSION, SecurityScheme::Http(session));
    let guest = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "The token of a guest, as `POST /v1/guests` answers it: `Authorization: Bearer <token>`. It opens what is a buyer's, and \
             nothing of an account",
        ))
        .build();
    components.add_security_scheme(GUEST, SecurityScheme::Http(guest));
}

/// The problems that an operation may have for who calls it.
#[must_use]
pub fn problems(operation: &Operation) -> Vec<Code> {
    let is_guarded = operation.security.as_ref().is_some_and(|security| !security.is_empty());
    if is_guarded { vec![Code::Unauthorized, Code::Forbidden] } else { Vec::new() }
}
