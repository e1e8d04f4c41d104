//! A new context is added by edits that the compiler asks for.

use super::files::File;

/// The enum, also by the name it has where another type is called so.
const CONTEXT: [&str; 2] = ["Context", "Bounded"];

/// Matches over contexts with an arm that takes whatever is left: it would take a new one without a word.
pub fn wildcards(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.is_test()) {
        let open = file.syntax.matches.iter().filter(|found| found.has_wildcard && is_over_contexts(&found.patterns));
        found.extend(open.map(|open| format!("{}:{} lets a new context pass", file.path, open.line)));
    }
    found
}

fn is_over_contexts(patterns: &[Vec<String>]) -> bool {
    patterns.iter().any(|path| path.len() > 1 && CONTEXT.contains(&path[path.len() - 2].as_str()))
}

#[test]
fn an_arm_for_whatever_context_is_left_is_found() {
    let found =
        |body: &str| wildcards(&[File::new("a/src/x.rs", &format!("impl Context {{ fn f(c: Self) {{\n{body} }} }}"))]);
    let wrong =
        ["match c { Context::Catalog => 1, _ => 2 }", "match c { Self::Catalog | Self::Tenants => 1, other => 2 }"];
    for body in wrong {
        assert_eq!(found(body), ["a/src/x.rs:2 lets a new context pass"], "{body}");
    }
    assert_eq!(found("match (c, d) { (topics::Context::Catalog, true) => 1, (_, _) => 2 }").len(), 1);
    assert!(found("match c { Context::Catalog => 1, Context::Tenants => 2 }").is_empty());
    assert!(found("match c { Other::Catalog if c == Context::Tenants => 1, _ => 2 }").is_empty());
}
