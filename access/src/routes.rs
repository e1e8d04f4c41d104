//! Routes, each with the rule that says who may call it.

use crate::{documents, guard, rule::Rule};
use axum::{Router, middleware, routing::MethodRouter};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// Routes, each with its rule. There is no way to add one without.
pub struct Routes<S>(OpenApiRouter<S>);

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self(OpenApiRouter::new())
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None, as part of a document.
    #[must_use]
    pub fn of(document: OpenApi) -> Self {
        Self(OpenApiRouter::with_openapi(document))
    }

    /// Lets those call these routes, given by `routes!`, to whom the rule applies; the document says so.
    #[must_use]
    pub fn allow(self, rule: Rule, (schemas, mut paths, methods): UtoipaMethodRouter<S>) -> Self {
        paths.paths.values_mut().for_each(|path| documents::describe(path, rule));
        Self(self.0.routes((schemas, paths, guarded(methods, rule))))
    }

    /// The same for a route that the document does not show, such as an older path of another.
    #[must_use]
    pub fn allow_unlisted(self, rule: Rule, path: &str, methods: MethodRouter<S>) -> Self {
        Self(self.0.route(path, guarded(methods, rule)))
    }

    /// With what their handlers share.
    #[must_use]
    pub fn with_state<T: Clone + Send + Sync + 'static>(self, state: S) -> Routes<T> {
        Routes(self.0.with_state(state))
    }

    /// All routes of both.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self(self.0.merge(other.0))
    }

    /// The router, and the document of what it answers.
    pub fn split(self) -> (Router<S>, OpenApi) {
        let (router, mut document) = self.0.split_for_parts();
        documents::describe_key(&mut document);
        (router, document)
    }
}

fn guarded<S: Clone + Send + Sync + 'static>(methods: MethodRouter<S>, rule: Rule) -> MethodRouter<S> {
    methods.route_layer(middleware::from_fn_with_state(rule, guard::admit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{guard::Callers, key::AdminKey};
    use axum::{
        body::Body,
        http::{Request, StatusCode, header},
        routing::get,
    };
    use schemas::permission::Permission;
    use tower::ServiceExt;
    use utoipa_axum::routes;

    #[utoipa::path(get, path = "/open", responses((status = 200)))]
    async fn open() {}

    #[utoipa::path(put, path = "/prices", responses((status = 200)))]
    async fn prices() {}

    fn routes() -> Routes<()> {
        Routes::default()
            .allow(Rule::Anybody, routes!(open))
            .allow(Rule::Staff(Permission::PricingWrite), routes!(prices))
            .allow_unlisted(Rule::Admin, "/unlisted", get(open))
    }

    async fn asked(router: &Router, method: &str, path: &str, key: Option<&str>) -> StatusCode {
        let request = Request::builder().method(method).uri(path);
        let request = match key {
            Some(key) => request.header(header::AUTHORIZATION, format!("Bearer {key}")),
            None => request,
        };
        let request = request.body(Body::empty()).expect("a request");
        router.clone().oneshot(request).await.expect("an answer").status()
    }

    #[tokio::test]
    async fn a_route_lets_in_whom_its_rule_names() {
        let router = routes()
            .split()
            .0
            .layer(middleware::from_fn_with_state(Callers::administrators(AdminKey::new(Some("k"))), guard::identify));
        for (method, path, key, expected) in [
            ("GET", "/open", None, StatusCode::OK),
            ("GET", "/open", Some("none"), StatusCode::OK),
            ("PUT", "/prices", None, StatusCode::UNAUTHORIZED),
            ("PUT", "/prices", Some("none"), StatusCode::UNAUTHORIZED),
            ("PUT", "/prices", Some("k"), StatusCode::OK),
            ("GET", "/prices", None, StatusCode::METHOD_NOT_ALLOWED),
            ("GET", "/unlisted", None, StatusCode::UNAUTHORIZED),
            ("GET", "/unlisted", Some("k"), StatusCode::OK),
        ] {
            assert_eq!(asked(&router, method, path, key).await, expected, "{method} {path} {key:?}");
        }
    }

    #[tokio::test]
    async fn a_process_that_does_not_say_who_calls_lets_nobody_in() {
        let router = routes().split().0;
        assert_eq!(asked(&router, "PUT", "/prices", Some("k")).await, StatusCode::UNAUTHORIZED);
        assert_eq!(asked(&router, "GET", "/unlisted", Some("k")).await, StatusCode::UNAUTHORIZED);
    }

    #[test]
    fn the_document_says_who_may_call() {
        let document = serde_json::to_value(routes().split().1).expect("JSON");
        let of = |path: &str, method: &str| document["paths"][path][method].clone();
        assert_eq!(of("/open", "get")["x-souk-access"], "anybody");
        assert_eq!(of("/open", "get")["security"], serde_json::json!([]));
        assert_eq!(of("/prices", "put")["x-souk-access"], "staff pricing.write");
        assert_eq!(of("/prices", "put")["security"], serde_json::json!([{"key": ["pricing.write"]}, {"session": []}]));
        assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    }
}
