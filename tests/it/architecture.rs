//! The design's rules, checked against the files: who may import whom, how pure the domain is, what
//! things are called, how long they may be. Each rule is a function over files; its unit test shows
//! that it can fail.
//!
//! To add a rule: write it in a file of `architecture/` with a test that breaks it, and call it here.

mod budgets;
mod files;
mod imports;
mod naming;
mod purity;
mod wording;

use files::File;
use std::sync::LazyLock;

static REPOSITORY: LazyLock<Vec<File>> = LazyLock::new(files::repository);

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
    assert_none("unfinished work", &wording::unfinished(&REPOSITORY));
}

#[test]
fn tests_wait_for_conditions() {
    assert_none("tests that sleep", &wording::sleeping_tests(&REPOSITORY));
}

#[test]
fn no_package_registry_is_named() {
    assert_none("addresses of package registries", &wording::registries(&REPOSITORY));
}
