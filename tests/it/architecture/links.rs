//! What documents name is there: files, folders, commands and their flags.

use super::{files::File, syntax::Named};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// What happened stays as it was told.
const HISTORY: [&str; 1] = ["CHANGELOG.md"];

/// What guides make up to show how something is added.
const SAMPLES: [&str; 1] = ["gift_card"];

fn documents(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| file.path.ends_with(".md") && !HISTORY.contains(&file.path.as_str()))
}

/// Paths in backticks and links of documents that lead nowhere.
pub fn dead_paths(files: &[File]) -> Vec<String> {
    let tree = Tree::of(files);
    let mut found = Vec::new();
    for file in documents(files) {
        for (number, line) in file.text.lines().enumerate() {
            let named = spans(line).into_iter().filter(|span| !tree.has_named(span));
            let linked = links(line).into_iter().filter(|link| !tree.has_linked(&file.path, link));
            found.extend(named.chain(linked).map(|path| format!("{}:{} {path} is not there", file.path, number + 1)));
        }
    }
    found
}

struct Tree<'a> {
    paths: BTreeSet<&'a str>,
    roots: BTreeSet<&'a str>,
}

impl<'a> Tree<'a> {
    fn of(files: &'a [File]) -> Self {
        let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let roots = paths.iter().filter_map(|path| path.split_once('/')).map(|(root, _)| root).collect();
        Self { paths, roots }
    }

    fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty()
            || self.paths.contains(path)
            || self.paths.range(folder.as_str()..).next().is_some_and(|next| next.starts_with(&folder))
    }

    /// A path from the root of the repository, or the end of a Rust file's path.
    fn has_named(&self, span: &str) -> bool {
        let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if SAMPLES.iter().any(|sample| span.contains(sample)) {
            return true;
        }
        let from_root = span.split_once('/').is_some_and(|(root, _)| self.roots.contains(root));
        if !span.chars().all(is_path) || !(from_root || span.ends_with(".rs")) {
            return true;
        }
        let end = format!("/{span}");
        self.has(span) || (span.ends_with(".rs") && self.paths.iter().any(|path| path.ends_with(&end)))
    }

    fn has_linked(&self, document: &str, link: &str) -> bool {
        if link.contains("://") || link.starts_with('#') || link.starts_with("mailto:") {
            return true;
        }
        let link = link.split('#').next().unwrap_or_default();
        let mut path = PathBuf::from(document);
        path.pop();
        for part in Path::new(link).components() {
            match part {
                Component::ParentDir => drop(path.pop()),
                Component::Normal(name) => path.push(name),
                _ => {}
            }
        }
        self.has(&path.to_string_lossy())
    }
}

/// What stands between backticks.
fn spans(line: &str) -> Vec<String> {
    if line.trim_start().starts_with("```") {
        return Vec::new();
    }
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The targets of `[text](target)`.
fn links(line: &str) -> Vec<String> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// Paths of this crate in doc comments that are not links, which the compiler would check.
pub fn unlinked_paths(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (number, line) in file.text.lines().enumerate() {
            let Some(comment) = ["///", "//!"].iter().find_map(|mark| line.trim_start().strip_prefix(mark)) else {
                continue;
            };
            let unlinked = comment.match_indices("`crate::").filter(|(at, _)| !comment[..*at].ends_with('['));
            found.extend(unlinked.map(|_| format!("{}:{} names a path without a link", file.path, number + 1)));
        }
    }
    found
}

/// A program, and the files whose enums are its commands.
const PROGRAMS: [(&str, &str); 2] = [("souk", "launcher/src/main.rs"), ("reindex", "reindex/src/")];
/// `souk` is a script that knows two more, and hands `bench` and `reindex` on.
const HANDED_ON: [&str; 3] = ["bench", "reindex", "help"];
/// Flags of every program.
const EVERYWHERE: [&str; 2] = ["help", "version"];

/// Commands and flags in documents that the programs don't have.
pub fn unknown_commands(files: &[File]) -> Vec<String> {
    let mut flags = names(files, Named::Field, "");
    flags.extend(files.iter().filter(|file| file.is_rust()).flat_map(|file| renamed(&file.text)));
    let commands = PROGRAMS.map(|(program, place)| (program, names(files, Named::Variant, place)));
    let mut found = Vec::new();
    for file in documents(files) {
        let mut in_code = false;
        for (number, line) in file.text.lines().enumerate() {
            in_code ^= line.trim_start().starts_with("```");
            for call in calls(line, in_code) {
                let unknown = unknown(&call, &commands, &flags);
                found.extend(unknown.map(|what| format!("{}:{} {what} is not known", file.path, number + 1)));
            }
        }
    }
    found
}

/// The words of each call of a program in a line: in backticks, or all of it in a block of code.
fn calls(line: &str, in_code: bool) -> Vec<Vec<String>> {
    let code = if in_code { Some(line) } else { line.strip_prefix("    ") };
    let texts: Vec<String> = spans(line).into_iter().chain(code.map(str::to_owned)).collect();
    let words = texts.iter().map(|text| {
        let words = text.split_whitespace().skip_while(|word| word.contains('='));
        words
            .take_while(|word| !["#", "--", "|", "&&"].contains(word))
            .map(|word| word.trim_start_matches("./").to_owned())
            .collect()
    });
    words
        .filter(|words: &Vec<String>| {
            words.first().is_some_and(|first| PROGRAMS.iter().any(|(program, _)| program == first))
        })
        .collect()
}

fn unknown(
    call: &[String],
    commands: &[(&str, BTreeSet<String>)],
    flags: &BTreeSet<String>,
) -> impl Iterator<Item = String> {
    let is_word = |text: &&String| {
        text.chars().all(|c| c.is_ascii_lowercase() || c == '-') && text.starts_with(|c: char| c.is_ascii_lowercase())
    };
    let known = |word: &str| {
        HANDED_ON.contains(&word) || commands.iter().any(|(program, own)| *program == call[0] && own.contains(word))
    };
    let command = call.get(1).filter(is_word).filter(|word| !known(word)).map(|word| format!("{} {word}", call[0]));
    let wrong = call.iter().filter_map(|word| {
        let flag = word.strip_prefix("--")?.split('=').next()?;
        let plain = flag.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !flag.is_empty();
        (plain && !flags.contains(flag) && !EVERYWHERE.contains(&flag)).then(|| format!("{} --{flag}", call[0]))
    });
    command.into_iter().chain(wrong.collect::<Vec<_>>())
}

/// Names as the command line has them.
fn names(files: &[File], what: Named, place: &str) -> BTreeSet<String> {
    let own = files.iter().filter(|file| file.path.starts_with(place)).flat_map(|file| &file.syntax.names);
    own.filter(|name| name.what == what).map(|name| kebab(&name.text)).collect()
}

/// Flags that are named otherwise than their field.
fn renamed(source: &str) -> impl Iterator<Item = String> {
    source.split("long = \"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(flag, _)| flag.to_owned())
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        if c.is_uppercase() && at > 0 {
            out.push('-');
        }
        out.extend(if c == '_' { '-' } else { c }.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_nowhere_is_found() {
        let source = File::new("a/src/price.rs", "");
        let found = |text: &str| dead_paths(&[source.clone(), File::new("docs/guides/x.md", text)]);
        for wrong in [
            "see `a/src/cost.rs`",
            "`cost.rs` has it",
            "`src/cost.rs`",
            "[a](../../a/src/cost.rs)",
            "[b](y.md#part)",
            "`a/sources/`",
        ] {
            assert_eq!(found(wrong).len(), 1, "{wrong}");
        }
        for right in [
            "see `a/src/price.rs` and `price.rs`",
            "`a/src/`",
            "[a](../../a/src/price.rs#x)",
            "[b](x.md)",
            "`text/plain`",
            "`a/src/*.rs`",
            "`a/src/gift_cards.rs`",
            "[c](https://a.org/b)",
        ] {
            assert!(found(right).is_empty(), "{right}: {:?}", found(right));
        }
    }

    #[test]
    fn a_path_in_a_comment_that_is_no_link_is_found() {
        let found = |text: &str| unlinked_paths(&[File::new("a/src/x.rs", text)]);
        assert_eq!(found("/// As `crate::y` does.\nfn f() {}"), ["a/src/x.rs:1 names a path without a link"]);
        assert!(found("/// As [`crate::y`] does.\nfn f() {} // `crate::z`").is_empty());
    }

    #[test]
    fn a_command_that_nobody_knows_is_found() {
        let cli = File::new("launcher/src/main.rs", "enum Cli { Up(UpArgs) } struct UpArgs { with_demo: bool }");
        let found = |text: &str| unknown_commands(&[cli.clone(), File::new("x.md", text)]);
        for wrong in [
            "`souk start`",
            "`./souk up --fast`",
            "    ./souk start   # starts it",
            "```\nsouk start\n```",
            "`A=b ./souk down`",
        ] {
            assert_eq!(found(wrong).len(), 1, "{wrong}");
        }
        for right in ["`souk up --with-demo`", "`./souk up -- --fast`", "`souk bench search`", "souk starts", "`souk`"]
        {
            assert!(found(right).is_empty(), "{right}: {:?}", found(right));
        }
    }
}
