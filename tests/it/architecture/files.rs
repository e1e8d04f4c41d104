//! The repository as a list of files.

use super::syntax::Syntax;
use std::path::Path;

/// A text file, by its path from the root of the repository.
#[derive(Debug, Clone)]
pub struct File {
    pub path: String,
    pub text: String,
    /// What a Rust file's syntax tree says; nothing of another file.
    pub syntax: Syntax,
}

impl File {
    pub fn new(path: &str, text: &str) -> Self {
        let syntax = if path.ends_with(".rs") { Syntax::of(path, text) } else { Syntax::default() };
        Self { path: path.to_owned(), text: text.to_owned(), syntax }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file holds nothing but tests.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// How many lines it has without its unit tests.
    pub fn production_lines(&self) -> usize {
        let tested: usize = self.syntax.tests.iter().map(|lines| lines.clone().count()).sum();
        self.text.lines().count().saturating_sub(tested)
    }
}

const SKIPPED: [&str; 4] = ["target", ".git", ".souk", "node_modules"];
const LARGEST: u64 = 8_000_000;

/// Every text file of the repository.
pub fn repository() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let mut files = Vec::new();
    collect(root, root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "{} is not the repository", root.display());
    files
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(root, &path, files);
        } else if kind.is_file() && entry.metadata().is_ok_and(|data| data.len() < LARGEST) {
            // What is not text holds no words to judge.
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            files.push(File::new(&path.strip_prefix(root).expect("below the root").to_string_lossy(), &text));
        }
    }
}

#[test]
fn unit_tests_are_no_production_lines() {
    let inline = File::new("a/src/x.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n}\nfn b() {}\n");
    assert_eq!(inline.production_lines(), 2);
    let declared = File::new("a/src/x.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
    assert_eq!(declared.production_lines(), 3);
}
