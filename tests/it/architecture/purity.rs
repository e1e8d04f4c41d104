//! The domain of the write side knows no IO, no clock and no chance.

use super::{files::File, syntax::Import};

/// Whether a file belongs to the domain of a slice, or to what the domains share.
fn is_domain(path: &str) -> bool {
    let Some(path) = path.strip_prefix("write-api/src/") else { return false };
    let path = path.strip_prefix("contexts/").and_then(|path| path.split_once('/')).map_or(path, |(_, rest)| rest);
    path == "domain.rs" || path.starts_with("domain/")
}

/// Crates that the domain may import from; its tests also from proptest.
const IMPORTED: [&str; 6] = ["crate", "self", "super", "schemas", "serde", "std"];

/// What no path of the domain may go through, tests included.
const FORBIDDEN: [&str; 11] = [
    "sqlx",
    "axum",
    "tokio",
    "tracing",
    "reqwest",
    "rdkafka",
    "rand",
    "SystemTime",
    "Instant",
    "Utc::now",
    "Uuid::now_v7",
];

/// Paths of the domain that go through one of them.
pub fn impure_domain(files: &[File]) -> Vec<String> {
    let domain = files.iter().filter(|file| is_domain(&file.path));
    let mut found = Vec::new();
    for file in domain {
        for path in &file.syntax.paths {
            let text = path.segments.join("::");
            let through = format!("::{text}::");
            let words = FORBIDDEN.iter().filter(|word| through.contains(&format!("::{word}::")));
            found.extend(words.map(|_| format!("{}:{} names {text}", file.path, path.line)));
        }
        let strange = file.syntax.imports.iter().filter(|import| !is_known(import, file));
        found.extend(strange.map(|import| format!("{} imports {}", file.path, import.path.join("::"))));
    }
    found
}

fn is_known(import: &Import, file: &File) -> bool {
    let Some(first) = import.path.first() else { return true };
    let is_own = file.syntax.names.iter().any(|name| name.text == *first);
    // An upper case letter begins a type that the prelude or another import brought in.
    let is_type = first.starts_with(char::is_uppercase);
    let in_test = import.in_test || file.is_test();
    IMPORTED.contains(&first.as_str()) || is_own || is_type || (in_test && first == "proptest")
}

#[test]
fn a_clock_in_the_domain_is_found() {
    let wrong = "// Utc::now is fine here\nfn f() { let brand = 1;\nlet t = chrono::Utc::now(); }\n";
    let path = "write-api/src/contexts/pricing/domain/x.rs";
    assert_eq!(impure_domain(&[File::new(path, wrong)]), [format!("{path}:3 names chrono::Utc::now")]);
    assert_eq!(impure_domain(&[File::new(path, "#[derive(sqlx::Type)] struct X;")]).len(), 1);
    let foreign =
        "use service::jobs::Job;\nmod y;\npub use y::Y;\n#[cfg(test)]\nmod tests { use proptest::prelude::*; }";
    assert_eq!(impure_domain(&[File::new(path, foreign)]), [format!("{path} imports service::jobs::Job")]);
    for path in ["write-api/src/domain.rs", "write-api/src/domain/slug.rs", "write-api/src/contexts/pricing/domain.rs"]
    {
        assert_eq!(impure_domain(&[File::new(path, "fn f() { tokio::spawn(g()) }")]).len(), 1, "{path}");
    }
    for path in ["write-api/src/clock.rs", "write-api/src/contexts/domain_of/http.rs"] {
        assert!(impure_domain(&[File::new(path, wrong)]).is_empty(), "{path}");
    }
}
