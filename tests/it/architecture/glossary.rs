//! The words of the glossary in CONTRIBUTING.md, and those that it retired.

use super::{docs::words, files::File, syntax::Named};

/// Where the glossary stands.
const PLACE: &str = "CONTRIBUTING.md";

/// A word that must not be used any more.
struct Retired {
    word: &'static str,
    /// The glossary's word for it.
    instead: &'static str,
    used: Used,
}

/// What counts as a use of a retired word, in files below some paths or, without any, in all.
enum Used {
    /// It is one of the words of a name or of a file's path.
    Anywhere(&'static [&'static str]),
    /// The same, unless another word stands before it.
    Without(&'static str, &'static [&'static str]),
    /// It is the name of a type.
    AsType(&'static [&'static str]),
}

/// Where indexes are searched, written and built.
const INDEXES: &[&str] = &["projector/", "query-api/", "reindex/", "search/"];
/// Where indexes are copied; orders of customers are none of theirs.
const COPIES: &[&str] = &["projector/src/embeddings", "projector/src/index_writer", "reindex/", "search/"];
/// Where a letter is not one of the alphabet.
const PIPELINE: &[&str] = &["console/", "deploy/", "launcher/", "projector/", "query-api/", "reindex/", "tests/"];

/// Where use cases are; a line of a bulk request's body is read before them.
const USE_CASES: &[&str] = &["write-api/src/contexts", "write-api/src/pipeline"];

const RETIRED: [Retired; 18] = [
    Retired { word: "aside", instead: "background", used: Used::Anywhere(INDEXES) },
    Retired { word: "beat", instead: "linger", used: Used::Anywhere(&[]) },
    Retired { word: "cadence", instead: "linger", used: Used::Anywhere(&[]) },
    Retired { word: "desk", instead: "working set", used: Used::Anywhere(&[]) },
    Retired { word: "inventory", instead: "digest set", used: Used::AsType(&["reindex/", "search/"]) },
    Retired { word: "kind", instead: "use case", used: Used::AsType(USE_CASES) },
    Retired { word: "learned", instead: "catalog statistics", used: Used::Anywhere(&[]) },
    Retired { word: "lesson", instead: "catalog statistics", used: Used::Anywhere(&[]) },
    Retired { word: "letter", instead: "dead letter", used: Used::Without("dead", PIPELINE) },
    Retired { word: "line", instead: "input", used: Used::AsType(USE_CASES) },
    Retired { word: "order", instead: "copy settings", used: Used::AsType(COPIES) },
    Retired { word: "pace", instead: "throttle", used: Used::Anywhere(&[]) },
    Retired { word: "paced", instead: "throttle", used: Used::Anywhere(&[]) },
    Retired { word: "pack", instead: "compound file", used: Used::Anywhere(&["search/"]) },
    Retired { word: "packed", instead: "compound file", used: Used::Anywhere(&["search/"]) },
    Retired { word: "road", instead: "pipeline", used: Used::Anywhere(&[]) },
    Retired { word: "wish", instead: "desired state", used: Used::Anywhere(&[]) },
    Retired { word: "wording", instead: "validation", used: Used::Anywhere(&[]) },
];

/// Names that were released and stay, with the start of the files' paths.
const RELEASED: [(&str, &str); 0] = [];

/// Names and files that use a retired word.
pub fn retired_words(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| is_code(&file.path)) {
        let path = words(&file.path);
        let in_path = RETIRED.iter().filter(|retired| retired.is_used(&file.path, &path, false));
        found.extend(in_path.map(|retired| format!("{}: its path has a word for {}", file.path, retired.instead)));
        for name in file.syntax.names.iter().filter(|name| !is_released(&file.path, &name.text)) {
            let own = words(&name.text);
            let used = RETIRED.iter().filter(|retired| retired.is_used(&file.path, &own, name.what == Named::Type));
            found.extend(
                used.map(|retired| {
                    format!("{}:{} {}: the word is {}", file.path, name.line, name.text, retired.instead)
                }),
            );
        }
    }
    found
}

/// Migrations keep the names under which they were released, documents tell of what was.
fn is_code(path: &str) -> bool {
    !["docs/", "migrations/", "tests/fuzz/"].iter().any(|folder| path.starts_with(folder))
}

fn is_released(path: &str, name: &str) -> bool {
    RELEASED.iter().any(|(released, place)| *released == name && path.starts_with(place))
}

impl Retired {
    fn is_used(&self, path: &str, words: &[String], is_type: bool) -> bool {
        let (Used::Anywhere(places) | Used::Without(_, places) | Used::AsType(places)) = self.used;
        let applies = places.is_empty() || places.iter().any(|place| path.starts_with(place));
        let has_it = match self.used {
            Used::Anywhere(_) => words.iter().any(|word| word == self.word),
            Used::Without(before, _) => {
                words.iter().enumerate().any(|(at, word)| word == self.word && (at == 0 || words[at - 1] != before))
            }
            Used::AsType(_) => is_type && matches!(words, [only] if only == self.word),
        };
        applies && has_it
    }
}

/// What is wrong with the glossary itself: the order of its words, words without a meaning, and words that a
/// retired one points to but that it lacks.
pub fn faults(files: &[File]) -> Vec<String> {
    let text = files.iter().find(|file| file.path == PLACE).map(|file| file.text.as_str()).unwrap_or_default();
    let rows: Vec<(&str, &str)> = rows(text).collect();
    let unsorted = rows.windows(2).filter(|pair| pair[0].0.to_lowercase() >= pair[1].0.to_lowercase());
    let unsorted = unsorted.map(|pair| format!("{PLACE}: {} stands before {}", pair[0].0, pair[1].0));
    let empty = rows.iter().filter(|(_, meaning)| meaning.is_empty());
    let empty = empty.map(|(word, _)| format!("{PLACE}: {word} has no meaning"));
    let missing = RETIRED.iter().filter(|retired| !rows.iter().any(|(word, _)| *word == retired.instead));
    let missing = missing.map(|retired| format!("{PLACE}: {} is missing", retired.instead));
    unsorted.chain(empty).chain(missing).collect()
}

/// Words and meanings of the table below the heading.
fn rows(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let section = text.split("\n## ").find(|section| section.starts_with("Glossary")).unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" |"));
    cells.map(|(word, meaning)| (word.trim(), meaning.trim())).filter(|(word, _)| *word != "word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retired_word_is_found() {
        for (path, text) in [
            ("reindex/src/desk.rs", ""),
            ("console/letters.js", ""),
            ("projector/src/x.rs", "struct LetterError;"),
            ("projector/src/x.rs", "struct S { dead_letter: u8, max_letters: u8 }"),
            ("search/src/x.rs", "mod paced;"),
            ("write-api/src/pipeline/x.rs", "trait Kind {}"),
            ("query-api/src/x.rs", "fn road() {}"),
        ] {
            let file = if path.ends_with(".rs") { File::new(path, text) } else { File::new(path, "") };
            assert_eq!(retired_words(&[file]).len(), 1, "{path} {text}");
        }
        for (path, text) in [
            ("projector/src/dead_letters.rs", "struct DeadLetter; struct S { heartbeat_at: u8 }"),
            ("bench/src/x.rs", "const LETTERS: &str = X; struct Kind;"),
            ("write-api/src/x.rs", "struct LineError; fn line() {}"),
            ("migrations/read/0006_letters.sql", ""),
        ] {
            assert!(retired_words(&[File::new(path, text)]).is_empty(), "{path} {text}");
        }
    }

    #[test]
    fn a_glossary_with_holes_is_found() {
        let rows: String = RETIRED.iter().map(|retired| format!("| {} | what it is |\n", retired.instead)).collect();
        let glossary = |rows: &str| {
            faults(&[File::new(PLACE, &format!("# A\n\n## Glossary\n\n| word | meaning |\n|---|---|\n{rows}"))])
        };
        assert!(glossary("| aggregate | one thing |\n").iter().all(|fault| fault.ends_with("is missing")));
        let faults = glossary(&format!("{rows}| aggregate | |\n"));
        assert!(faults.iter().any(|fault| fault.ends_with("aggregate has no meaning")), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.ends_with("stands before aggregate")), "{faults:?}");
        assert!(!faults.iter().any(|fault| fault.ends_with("is missing")), "{faults:?}");
    }
}
