//! The design's rules, checked against the files: who may import whom, how pure the domain is, what
//! things are called, how long they may be. Each rule is a function over files; its unit test shows
//! that it can fail.
//!
//! To add a rule: write it in a file of `architecture/` with a test that breaks it, and call it here.

mod asking;
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

/// Who asks which slice of write-api through its port, and from which layers.
pub fn who_asks_whom() -> asking::Asking {
    asking::asking(&REPOSITORY)
}

fn assert_none(what: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{what}:\n  {}\n", violations.join("\n  "));
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
    assert_none("arms for whatever context is left", &contexts::wildcards(&REPOSITORY));
}

#[test]
fn no_package_registry_is_named() {
    assert_none("addresses of package registries", &phrases::registries(&REPOSITORY));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for part in WITHOUT_CYCLES {
        assert_none("import cycles", &cycles::cycles(part, &REPOSITORY));
    }
}

#[test]
fn names_are_words_of_the_glossary() {
    assert_none("faults of the glossary", &glossary::faults(&REPOSITORY));
    assert_none("retired words", &glossary::retired_words(&REPOSITORY));
}

#[test]
fn documents_name_files_that_are_there() {
    assert_none("paths that lead nowhere", &links::dead_paths(&REPOSITORY));
    assert_none("paths in doc comments", &links::unlinked_paths(&REPOSITORY));
}

#[test]
fn documents_name_commands_that_are_there() {
    assert_none("commands and flags", &links::unknown_commands(&REPOSITORY));
}

/// Parts whose files must not use each other in a circle.
const WITHOUT_CYCLES: [&str; 8] =
    ["eventlog", "projector", "query-api", "quote", "reindex", "search", "service", "write-api"];

#[test]
fn doc_comments_say_more_than_the_name() {
    assert_none("doc comments that repeat a name", &docs::echoes(&REPOSITORY));
}
