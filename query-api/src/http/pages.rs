//! The pages made for people, embedded at build time: the storefront at `/`, its files below `/storefront/`, and the
//! operators' console at `/console`.
//!
//! To add a file: name it in [`FILES`] or [`CONSOLE_FILES`].

use access::Caller;
use axum::{
    Extension, Json, Router,
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use schemas::problem::{Code, Problem};
use serde_json::json;
use service::http::ProblemResponse;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What a page may load and do: nothing but its own files and reads of this server, and pictures of products, which
/// shops keep elsewhere. Scripts can't turn text into HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// A file of a page.
struct File {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

macro_rules! file {
    ($folder:literal, $name:literal, $media_type:expr) => {
        File {
            name: $name,
            media_type: $media_type,
            text: include_str!(concat!("../../../console/", $folder, "/", $name)),
        }
    };
}

const START: File = file!("storefront", "index.html", HTML);

const FILES: [File; 32] = [
    file!("storefront", "icon.svg", SVG),
    file!("storefront", "account.css", CSS),
    file!("storefront", "cards.css", CSS),
    file!("storefront", "cart.css", CSS),
    file!("storefront", "forms.css", CSS),
    file!("storefront", "panels.css", CSS),
    file!("storefront", "product.css", CSS),
    file!("storefront", "storefront.css", CSS),
    file!("storefront", "theme.css", CSS),
    file!("storefront", "account.js", SCRIPT),
    file!("storefront", "addresses.js", SCRIPT),
    file!("storefront", "api.js", SCRIPT),
    file!("storefront", "basket.js", SCRIPT),
    file!("storefront", "cart.js", SCRIPT),
    file!("storefront", "checkout.js", SCRIPT),
    file!("storefront", "dom.js", SCRIPT),
    file!("storefront", "explain.js", SCRIPT),
    file!("storefront", "facets.js", SCRIPT),
    file!("storefront", "format.js", SCRIPT),
    file!("storefront", "forms.js", SCRIPT),
    file!("storefront", "order.js", SCRIPT),
    file!("storefront", "parcels.js", SCRIPT),
    file!("storefront", "picture.js", SCRIPT),
    file!("storefront", "product.js", SCRIPT),
    file!("storefront", "profile.js", SCRIPT),
    file!("storefront", "ranges.js", SCRIPT),
    file!("storefront", "results.js", SCRIPT),
    file!("storefront", "search.js", SCRIPT),
    file!("storefront", "session.js", SCRIPT),
    file!("storefront", "state.js", SCRIPT),
    file!("storefront", "storefront.js", SCRIPT),
    file!("storefront", "suggest.js", SCRIPT),
];

/// The theme is set before the page is drawn, so that its script is no module.
const THEME: File = file!("storefront", "theme.js", SCRIPT);

/// The console's shell; what it shows needs an account with a role, or the admin key.
const CONSOLE: File = file!("operator", "index.html", HTML);

/// The console takes theme, pieces of pages and icon from the storefront.
const CONSOLE_FILES: [File; 25] = [
    file!("operator", "account.css", CSS),
    file!("operator", "charts.css", CSS),
    file!("operator", "console.css", CSS),
    file!("operator", "parts.css", CSS),
    file!("operator", "pipeline.css", CSS),
    file!("operator", "account.js", SCRIPT),
    file!("operator", "activity.js", SCRIPT),
    file!("operator", "api.js", SCRIPT),
    file!("operator", "chart.js", SCRIPT),
    file!("operator", "console.js", SCRIPT),
    file!("operator", "dead-letters.js", SCRIPT),
    file!("operator", "format.js", SCRIPT),
    file!("operator", "generation.js", SCRIPT),
    file!("operator", "generations.js", SCRIPT),
    file!("operator", "lineage.js", SCRIPT),
    file!("operator", "operations.js", SCRIPT),
    file!("operator", "parts.js", SCRIPT),
    file!("operator", "pipeline.js", SCRIPT),
    file!("operator", "probes.js", SCRIPT),
    file!("operator", "processes.js", SCRIPT),
    file!("operator", "second-factor.js", SCRIPT),
    file!("operator", "shop-dead-letters.js", SCRIPT),
    file!("operator", "shops.js", SCRIPT),
    file!("operator", "sign-in.js", SCRIPT),
    file!("operator", "who.js", SCRIPT),
];

/// Every file of every page.
fn all() -> impl Iterator<Item = &'static File> {
    FILES.iter().chain(&CONSOLE_FILES).chain([&START, &THEME, &CONSOLE])
}

/// Tells one build's files from another's.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    for file in all() {
        file.text.hash(&mut hasher);
    }
    format!("W/\"{:016x}\"", hasher.finish())
});

/// The routes of the pages.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(start))
        .route("/storefront/{file}", get(file))
        .route("/console", get(console))
        .route("/console/{file}", get(console_file))
}

/// The storefront for browsers; for programs, where to go on.
async fn start(caller: Option<Extension<Caller>>, headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let here = match &caller {
        Some(Extension(Caller::Visitor(slug))) => Some(&**slug),
        Some(_) | None => None,
    };
    let mut response = if accepted.contains("text/html") { served(&START, &headers) } else { welcome(here) };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn welcome(here: Option<&str>) -> Response {
    Json(json!({
        "service": "souk query API",
        "here": here,
        "shop": "asked at its own host, or by its key; an administrator names it with ?tenant=",
        "search": "/v1/search?q=headphones",
        "categories": "/v1/categories",
        "lag": "/v1/status/lag",
        "api": "/openapi.json",
        "console": "/console",
    }))
    .into_response()
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    named(FILES.iter().chain([&THEME]), &name, &headers)
}

async fn console(headers: HeaderMap) -> Response {
    served(&CONSOLE, &headers)
}

async fn console_file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    named(CONSOLE_FILES.iter(), &name, &headers)
}

fn named(mut files: impl Iterator<Item = &'static File>, name: &str, headers: &HeaderMap) -> Response {
    files.find(|file| file.name == name).map_or_else(
        || ProblemResponse(Problem::new(Code::NotFound).detail("the page has no such file")).into_response(),
        |file| served(file, headers),
    )
}

/// A file, or that the browser's copy is still right.
fn served(file: &File, headers: &HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut response = if known.split(',').any(|tag| tag.trim() == TAG.as_str()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, file.media_type)], file.text).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&TAG) {
        headers.insert(header::ETAG, tag);
    }
    for (name, value) in [
        // Kept by the browser, but asked for each time whether it is still right.
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[tokio::test]
    async fn browsers_get_the_page_and_programs_the_welcome() {
        let page = start(None, accepting(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9")).await;
        assert_eq!(page.headers()[header::CONTENT_TYPE], HTML);
        assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").contains("script-src 'self';"));
        for accepted in ["application/json", "*/*"] {
            let answer = start(None, accepting(header::ACCEPT, accepted)).await;
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
            assert_eq!(answer.headers()[header::VARY], "accept");
        }
    }

    #[tokio::test]
    async fn a_copy_that_is_still_right_is_not_sent_again() {
        let first = file(Path("storefront.js".to_owned()), HeaderMap::new()).await;
        assert_eq!(
            (first.status(), &first.headers()[header::CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static(SCRIPT))
        );
        let tag = first.headers()[header::ETAG].clone();
        let again = file(Path("storefront.js".to_owned()), HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)])).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let missing = file(Path("index.htm".to_owned()), HeaderMap::new()).await;
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn the_console_has_files_of_its_own() {
        let page = console(HeaderMap::new()).await;
        assert_eq!(page.headers()[header::CONTENT_TYPE], HTML);
        assert_eq!(console_file(Path("pipeline.js".to_owned()), HeaderMap::new()).await.status(), StatusCode::OK);
        assert_eq!(
            console_file(Path("storefront.js".to_owned()), HeaderMap::new()).await.status(),
            StatusCode::NOT_FOUND
        );
    }

    #[test]
    fn every_file_of_the_folders_is_served_and_short() {
        for (folder, start) in [("storefront", &START), ("operator", &CONSOLE)] {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../console").join(folder);
            let files = std::fs::read_dir(&folder).expect("the folder");
            let names = files.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
            for name in names {
                let text = std::fs::read_to_string(folder.join(&name)).expect("text");
                let served = all().any(|file| file.name == name && file.text == text) || start.name == name;
                assert!(served, "{name} is in no list of files");
                let lines = text.lines().count();
                assert!(lines <= 500, "{name} has {lines} lines, 500 are allowed");
            }
        }
    }

    #[tokio::test]
    async fn every_page_and_file_has_the_policy_and_it_allows_nothing_inline() {
        // Changed here, it is changed for every shopper: say why in the same commit.
        let agreed = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; connect-src 'self'; \
            base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
            trusted-types 'none'";
        assert_eq!(POLICY, agreed);
        for allowed in ["unsafe-", "data:", "blob:", "*", "http:"] {
            assert!(!POLICY.contains(allowed), "{allowed}");
        }
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(&TAG).expect("a tag"))]);
        for file in all() {
            for headers in [HeaderMap::new(), known.clone()] {
                let answer = served(file, &headers);
                assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], POLICY, "{}", file.name);
            }
        }
    }

    #[test]
    fn nothing_is_inline_and_no_text_becomes_html() {
        for forbidden in ["<style", " style=", " onclick=", "javascript:", "http://", "https://"] {
            assert!(!START.text.contains(forbidden) && !CONSOLE.text.contains(forbidden), "{forbidden}");
        }
        assert!(!START.text.contains("<script>") && !CONSOLE.text.contains("<script>"));
        for file in FILES.iter().chain(&CONSOLE_FILES) {
            for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!file.text.contains(forbidden), "{}: {forbidden}", file.name);
            }
        }
    }
}
