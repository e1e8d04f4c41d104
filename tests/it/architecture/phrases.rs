//! Words that must not be left in the files.

use super::files::File;

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

/// Calls that wait for a time.
const SLEEPS: [&str; 3] = ["sleep", "sleep_ms", "sleep_until"];

/// Tests, in files and modules of their own, that wait for a time instead of a condition.
pub fn sleeping_tests(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let paths = file.syntax.paths.iter().filter(|path| path.in_test || file.is_test());
        let sleeping = paths.filter(|path| path.segments.last().is_some_and(|last| SLEEPS.contains(&last.as_str())));
        found.extend(sleeping.map(|path| format!("{}:{} calls {}", file.path, path.line, path.segments.join("::"))));
    }
    found
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
    let sleeping = "fn f() {\n thread::sleep(SECOND); // no sleep( here\n}";
    assert_eq!(sleeping_tests(&[File::new("a/tests/x.rs", sleeping)]), ["a/tests/x.rs:2 calls thread::sleep"]);
    assert_eq!(
        sleeping_tests(&[File::new("a/src/x/tests.rs", "fn f() { select! { () = sleep(SECOND) => {} } }")]).len(),
        1
    );
    assert_eq!(
        sleeping_tests(&[File::new("a/src/x.rs", &format!("#[cfg(test)]\nmod tests {{ {sleeping} }}"))]).len(),
        1
    );
    assert!(sleeping_tests(&[File::new("a/src/x.rs", sleeping)]).is_empty());
}

#[test]
fn a_registry_is_found() {
    let wrong = File::new("deploy/Dockerfile", &format!("ADD https://{}/x .", REGISTRIES[1]));
    assert_eq!(registries(std::slice::from_ref(&wrong)).len(), 1);
    assert!(registries(&[File { path: "Cargo.lock".to_owned(), ..wrong }]).is_empty());
}
