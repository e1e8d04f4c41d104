//! Which part may depend on which, and which libraries belong to one part alone.

use super::files::File;

/// Every part and the parts it may import.
const ALLOWED: [(&str, &[&str]); 18] = [
    ("schemas", &[]),
    ("quote", &["schemas"]),
    ("invariants", &[]),
    ("service", &["schemas"]),
    ("access", &["schemas", "service"]),
    ("search", &["schemas"]),
    ("eventlog", &["schemas", "service"]),
    ("write-api", &["schemas", "quote", "invariants", "service", "access", "eventlog"]),
    ("projector", &["schemas", "search", "service", "eventlog"]),
    ("query-api", &["schemas", "quote", "search", "service", "access"]),
    ("reindex", &["schemas", "search", "projector", "service", "access", "eventlog"]),
    ("launcher", &["schemas", "invariants", "service", "access", "eventlog"]),
    ("bench", &["schemas", "quote", "search", "service", "launcher", "write-api", "projector", "query-api", "reindex"]),
    ("tests/databases", &[]),
    ("tests/skips", &[]),
    ("tests/stripe-stand-in", &["schemas"]),
    ("tests/fuzz", &["schemas", "search"]),
    (
        "tests",
        &[
            "schemas",
            "quote",
            "search",
            "service",
            "access",
            "eventlog",
            "launcher",
            "write-api",
            "projector",
            "query-api",
            "reindex",
            "bench",
        ],
    ),
];

/// A library and the parts whose manifest may name it.
const OWNED: [(&str, &[&str]); 3] = [
    ("tantivy", &["search"]),
    ("rdkafka", &["eventlog", "tests"]),
    ("test-databases", &["eventlog", "projector", "tests", "write-api"]),
];

/// Part and dependencies of each member's manifest, the dependencies of tests included.
fn manifests(files: &[File]) -> impl Iterator<Item = (&File, &str, Vec<&str>)> {
    files.iter().filter_map(|file| {
        let part = file.path.strip_suffix("/Cargo.toml")?;
        Some((file, part, dependencies(&file.text)))
    })
}

fn dependencies(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            inside = section.ends_with("dependencies");
            found.extend(section.split_once("dependencies.").map(|(_, name)| name.trim_matches('"')));
        } else if inside && !line.starts_with('#') {
            found.extend(line.split(['.', '=', ' ']).next().filter(|name| !name.is_empty()));
        }
    }
    found
}

/// Dependencies between parts that the table doesn't allow, and parts that are not in the table.
pub fn forbidden_parts(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, part, dependencies) in manifests(files) {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == part) else {
            found.push(format!("{}: `{part}` is not a part of the design", file.path));
            continue;
        };
        let is_part = |name: &&str| ALLOWED.iter().any(|(known, _)| known == name) || *name == "acceptance";
        let wrong = dependencies.into_iter().filter(is_part).filter(|name| !allowed.contains(name));
        found.extend(wrong.map(|name| format!("{}: {part} may not import {name}", file.path)));
    }
    found
}

/// Manifests that name a library which belongs to other parts.
pub fn misplaced_engines(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, part, dependencies) in manifests(files) {
        for (library, owners) in OWNED {
            if dependencies.contains(&library) && !owners.contains(&part) {
                found.push(format!("{}: only {} may name {library}", file.path, owners.join(", ")));
            }
        }
    }
    found
}

#[test]
fn an_import_against_the_table_is_found() {
    let wrong = File::new(
        "write-api/Cargo.toml",
        "[dependencies]\nschemas.workspace = true\n[dev-dependencies]\nsearch = { path = \"../search\" }\n",
    );
    assert_eq!(forbidden_parts(&[wrong]), ["write-api/Cargo.toml: write-api may not import search"]);
    let table = File::new("query-api/Cargo.toml", "[dependencies.projector]\nworkspace = true\n");
    assert_eq!(forbidden_parts(&[table]), ["query-api/Cargo.toml: query-api may not import projector"]);
    assert_eq!(forbidden_parts(&[File::new("extras/Cargo.toml", "")]).len(), 1);
}

#[test]
fn an_engine_in_a_foreign_manifest_is_found() {
    let wrong = File::new("query-api/Cargo.toml", "[dependencies]\ntantivy.workspace = true\nrdkafka = \"1\"\n");
    assert_eq!(misplaced_engines(&[wrong]).len(), 2);
    assert!(misplaced_engines(&[File::new("search/Cargo.toml", "[dependencies]\ntantivy = \"1\"\n")]).is_empty());
}
