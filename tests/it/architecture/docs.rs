//! A doc comment says more than the name below it. What is public is left out, and so
//! are fields and variants: the compiler and the help texts ask for a comment there.

use super::{
    files::File,
    syntax::{Name, Named},
};

/// Words that say nothing of their own.
const FILLERS: [&str; 12] = ["a", "an", "the", "its", "it", "this", "of", "is", "are", "that", "for", "in"];

/// Doc comments on private things that give nothing but the words of the name.
pub fn echoes(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.is_test()) {
        let private =
            file.syntax.names.iter().filter(|name| !name.public && !matches!(name.what, Named::Field | Named::Variant));
        let echoes = private.filter(|name| is_echo(name));
        found.extend(echoes.map(|name| format!("{}:{} {}:{}", file.path, name.line, name.text, name.doc)));
    }
    found
}

fn is_echo(name: &Name) -> bool {
    let own = words(&name.text);
    let said = words(&name.doc);
    let mut said = said.iter().filter(|word| !FILLERS.contains(&word.as_str())).peekable();
    said.peek().is_some() && said.all(|word| own.contains(word))
}

/// The words of a name or a sentence, in lower case and without the s of a plural.
pub fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("never empty").extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words.iter().map(|word| word.strip_suffix('s').unwrap_or(word).to_owned()).collect()
}

#[test]
fn a_comment_that_repeats_the_name_is_found() {
    let found = |text: &str| echoes(&[File::new("a/src/x.rs", text)]);
    assert_eq!(found("\n/// The base URL.\nconst BASE_URL: &str = X;"), ["a/src/x.rs:3 BASE_URL: The base URL."]);
    assert_eq!(found("/// A search request.\nstruct SearchRequest;").len(), 1);
    assert!(found("/// The base URL of query-api.\nconst BASE_URL: &str = X;\nfn f() {}").is_empty());
    assert!(found("/// The base URL.\npub const BASE_URL: &str = X;").is_empty());
}
