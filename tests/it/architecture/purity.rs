//! The domain of the write side knows no IO, no clock and no chance.

use super::files::{File, code};

const DOMAIN: [&str; 2] = ["write-api/src/domain/", "write-api/src/domain.rs"];

/// Words that no file of the domain may use, tests included.
const FORBIDDEN: [&str; 9] =
    ["sqlx", "axum", "tokio", "tracing", "reqwest", "SystemTime", "Utc::now", "Uuid::now_v7", "rand"];

/// Lines of the domain that use one of them.
pub fn impure_domain(files: &[File]) -> Vec<String> {
    let domain = files.iter().filter(|file| DOMAIN.iter().any(|start| file.path.starts_with(start)) && file.is_rust());
    let mut found = Vec::new();
    for file in domain {
        for (number, line) in code(&file.text).lines().enumerate() {
            let words = FORBIDDEN.iter().filter(|word| mentions(line, word));
            found.extend(words.map(|word| format!("{}:{} mentions {word}", file.path, number + 1)));
        }
    }
    found
}

fn mentions(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(is_name)
            && !line[at + word.len()..].chars().next().is_some_and(is_name)
    })
}

#[test]
fn a_clock_in_the_domain_is_found() {
    let wrong =
        File::new("write-api/src/domain/x.rs", "// Utc::now is fine here\nlet brand = 1;\nlet t = Utc::now();\n");
    assert_eq!(impure_domain(&[wrong]), ["write-api/src/domain/x.rs:3 mentions Utc::now"]);
    let elsewhere = File::new("write-api/src/clock.rs", "Utc::now()");
    assert!(impure_domain(&[elsewhere]).is_empty());
}
