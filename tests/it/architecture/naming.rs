//! Modules are named after a thing of the domain, and live in `foo.rs` with `foo/`.

use super::{files::File, syntax::Named};

const MEANINGLESS: [&str; 4] = ["common", "utils", "helpers", "core"];

/// Files and inline modules with a name that says nothing, and every `mod.rs`.
pub fn bad_names(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let parts: Vec<&str> = file.path.trim_end_matches(".rs").split('/').collect();
        if parts.last() == Some(&"mod") {
            found.push(format!("{}: use the name of the module, not mod.rs", file.path));
        }
        let mut named: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let modules = file.syntax.names.iter().filter(|name| name.what == Named::Module);
        named.extend(modules.map(|name| name.text.clone()));
        let wrong = named.iter().filter(|name| MEANINGLESS.contains(&name.as_str()));
        found.extend(wrong.map(|name| format!("{}: `{name}` says nothing of what it holds", file.path)));
    }
    found
}

#[test]
fn names_that_say_nothing_are_found() {
    let wrong = [
        File::new("a/src/x/mod.rs", ""),
        File::new("a/src/utils.rs", ""),
        File::new("a/src/lib.rs", "pub(crate) mod common;\nmod core {}\nmod coral;\n"),
    ];
    assert_eq!(bad_names(&wrong).len(), 4, "{:?}", bad_names(&wrong));
    assert!(bad_names(&[File::new("a/src/price.rs", "mod prices;")]).is_empty());
}
