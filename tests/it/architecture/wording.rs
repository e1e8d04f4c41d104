//! Words that must not be left in the files.

use super::files::{File, code};

/// Split, so that this file does not find itself.
const UNFINISHED: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];
const REGISTRIES: [&str; 8] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".com"),
    concat!("npmjs", ".org"),
    concat!("repo.maven", ".apache.org"),
    concat!("repo1.maven", ".org"),
    concat!("deb.debian", ".org"),
];

fn lines_with(file: &File, text: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let hits = words.iter().filter(|word| line.contains(**word));
        found.extend(hits.map(|word| format!("{}:{} says {word}", file.path, number + 1)));
    }
    found
}

/// Notes of work that was not done.
pub fn unfinished(files: &[File]) -> Vec<String> {
    files.iter().filter(|file| file.path != "Cargo.lock").flat_map(|f| lines_with(f, &f.text, &UNFINISHED)).collect()
}

/// Tests that wait for a time instead of a condition.
pub fn sleeping_tests(files: &[File]) -> Vec<String> {
    let tests = files.iter().filter(|file| file.is_rust() && file.is_test());
    tests.flat_map(|file| lines_with(file, &code(&file.text), &["sleep("])).collect()
}

/// Addresses of package registries: what is fetched comes through each tool's own client.
pub fn registries(files: &[File]) -> Vec<String> {
    files.iter().filter(|file| file.path != "Cargo.lock").flat_map(|f| lines_with(f, &f.text, &REGISTRIES)).collect()
}

#[test]
fn unfinished_work_is_found() {
    let wrong = File::new("docs/a.md", &format!("fine\n{} later\n", UNFINISHED[0]));
    assert_eq!(unfinished(&[wrong]), [format!("docs/a.md:2 says {}", UNFINISHED[0])]);
}

#[test]
fn a_sleeping_test_is_found() {
    let sleeping = "thread::sleep(SECOND);";
    assert_eq!(sleeping_tests(&[File::new("a/tests/x.rs", sleeping)]), ["a/tests/x.rs:1 says sleep("]);
    assert_eq!(sleeping_tests(&[File::new("a/src/x/tests.rs", sleeping)]).len(), 1);
    assert!(sleeping_tests(&[File::new("a/src/x.rs", sleeping)]).is_empty());
    assert!(sleeping_tests(&[File::new("a/tests/x.rs", "// no sleep( here")]).is_empty());
}

#[test]
fn a_registry_is_found() {
    let wrong = File::new("deploy/Dockerfile", &format!("ADD https://{}/x .", REGISTRIES[1]));
    assert_eq!(registries(std::slice::from_ref(&wrong)).len(), 1);
    assert!(registries(&[File { path: "Cargo.lock".to_owned(), ..wrong }]).is_empty());
}
