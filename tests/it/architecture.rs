//! The design's rules, checked against the files: who may import whom, how pure the domain is, what
//! things are called, how long they may be. Each rule is a function over files; its unit test shows
//! that it can fail.
//!
//! To add a rule: write it in a file of `architecture/` with a test that breaks it, and call it here.

mod budgets;
mod contexts;
mod cycles;
mod docs;
mod files;
mod glossary;
mod imports;
mod layers;
mod links;
mod modules;
mod naming;
mod phrases;
mod purity;
mod syntax;

use files::File;
use std::sync::LazyLock;

static REPOSITORY: LazyLock<Vec<File>> = LazyLock::new(files::repository);

fn assert_none(what: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{what}:\n  {}\n", violations.join("\n  "));
}

/// Violations in other files than those that are known, and files that are known but are right by now. A folder
/// stands for its files.
fn beyond(known: &[&str], found: Vec<String>) -> Vec<String> {
    let is_in =
        |violation: &str, known: &str| violation.strip_prefix(known).is_some_and(|rest| rest.starts_with([':', '/']));
    let right = known.iter().filter(|file| !found.iter().any(|violation| is_in(violation, file)));
    let right: Vec<String> = right.map(|file| format!("{file} is right by now: take it off the list")).collect();
    let new = found.into_iter().filter(|violation| !known.iter().any(|file| is_in(violation, file)));
    new.chain(right).collect()
}

#[test]
fn a_list_of_known_files_only_shrinks() {
    let found = vec!["a/src/x.rs:1 is wrong".to_owned(), "a/src/y.rs:2 is wrong".to_owned()];
    let expected = ["a/src/y.rs:2 is wrong", "a/src/z.rs is right by now: take it off the list"];
    assert_eq!(beyond(&["a/src/x.rs", "a/src/z.rs"], found.clone()), expected);
    assert!(beyond(&["a"], found).is_empty());
}

#[test]
fn parts_import_only_what_they_may() {
    assert_none("imports that the design forbids", &imports::forbidden_parts(&REPOSITORY));
}

#[test]
fn engines_stay_with_their_owners() {
    assert_none("libraries outside of the parts that own them", &imports::misplaced_engines(&REPOSITORY));
}

#[test]
fn the_domain_does_no_io() {
    assert_none("IO, clock or chance in the domain", &purity::impure_domain(&REPOSITORY));
}

#[test]
fn slices_keep_their_layers() {
    assert_none("paths across layers or slices of write-api", &layers::broken(&REPOSITORY));
}

#[test]
fn modules_are_named_after_what_they_hold() {
    assert_none("module names", &naming::bad_names(&REPOSITORY));
}

#[test]
fn files_are_short() {
    assert_none("file lengths", &budgets::long_files(&REPOSITORY));
}

#[test]
fn functions_are_short() {
    assert_none("function lengths", &budgets::long_functions(&REPOSITORY));
}

#[test]
fn nothing_is_left_for_later() {
    assert_none("unfinished work", &phrases::unfinished(&REPOSITORY));
}

#[test]
fn tests_wait_for_conditions() {
    assert_none("tests that sleep", &phrases::sleeping_tests(&REPOSITORY));
}

#[test]
fn a_new_context_is_missed_nowhere() {
    assert_none("arms for whatever context is left", &beyond(&KNOWN_WILDCARDS, contexts::wildcards(&REPOSITORY)));
}

#[test]
fn no_package_registry_is_named() {
    assert_none("addresses of package registries", &phrases::registries(&REPOSITORY));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for (part, known) in KNOWN_CYCLES {
        assert_none("import cycles", &beyond(known, cycles::cycles(part, &REPOSITORY)));
    }
}

#[test]
fn names_are_words_of_the_glossary() {
    assert_none("faults of the glossary", &glossary::faults(&REPOSITORY));
    assert_none("retired words", &beyond(&KNOWN_WORDS, glossary::retired_words(&REPOSITORY)));
}

#[test]
fn documents_name_files_that_are_there() {
    assert_none("paths that lead nowhere", &beyond(&KNOWN_DOCUMENTS, links::dead_paths(&REPOSITORY)));
    assert_none("paths in doc comments", &links::unlinked_paths(&REPOSITORY));
}

#[test]
fn documents_name_commands_that_are_there() {
    assert_none("commands and flags", &links::unknown_commands(&REPOSITORY));
}

/// Parts whose files must not use each other in a circle, and files that still do.
const KNOWN_CYCLES: [(&str, &[&str]); 7] = [
    ("eventlog", &[]),
    ("projector", &["projector/src/index_writer/build.rs", "projector/src/index_writer/copy.rs"]),
    ("query-api", &[]),
    ("reindex", &[]),
    ("search", &[]),
    ("service", &[]),
    (
        "write-api",
        &[
            "write-api/src/contexts/catalog/domain/product/command.rs",
            "write-api/src/contexts/catalog/domain/product/content.rs",
            "write-api/src/contexts/catalog/domain/product/policy.rs",
            "write-api/src/contexts/tenants/port.rs",
            "write-api/src/contexts/tenants/table.rs",
            "write-api/src/pipeline.rs",
            "write-api/src/pipeline/batch.rs",
            "write-api/src/pipeline/outbox.rs",
            "write-api/src/pipeline/table.rs",
        ],
    ),
];

/// Files with a `match` that a new context passes.
const KNOWN_WILDCARDS: [&str; 0] = [];

#[test]
fn doc_comments_say_more_than_the_name() {
    assert_none("doc comments that repeat a name", &docs::echoes(&REPOSITORY));
}

/// Documents that name files which are gone.
const KNOWN_DOCUMENTS: [&str; 0] = [];

/// Files with retired words.
const KNOWN_WORDS: [&str; 4] = [
    "projector/src/embeddings.rs",
    "projector/src/embeddings/set.rs",
    "projector/src/index_writer/copy.rs",
    "projector/src/index_writer/generations.rs",
];
