//! The repository as a list of files, and what of a Rust file is code.

use std::path::Path;

/// A text file, by its path from the root of the repository.
#[derive(Debug, Clone)]
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file holds nothing but tests.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The text up to the unit tests.
    pub fn production(&self) -> &str {
        const MARK: &str = "#[cfg(test)]";
        let mut from = 0;
        while let Some(found) = self.text[from..].find(MARK) {
            let (at, after) = (from + found, from + found + MARK.len());
            let item = self.text[after..].lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            // A declaration of a test file takes one line; anything else ends the production part.
            if !item.trim_end().ends_with(';') {
                return &self.text[..at];
            }
            from = after;
        }
        &self.text
    }
}

const SKIPPED: [&str; 4] = ["target", ".git", ".souk", "node_modules"];
const LARGEST: u64 = 2_000_000;

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
            let path = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            files.push(File { path, text });
        }
    }
}

/// Rust source with comments, strings and characters blanked out; lines stay where they are.
pub fn code(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = skipped(bytes, at);
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where the comment or literal that starts here ends; here, if none starts.
fn skipped(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let part_of_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'r' | b'b' | b'c', ..] if !part_of_name => raw_string(rest).map_or(at, |length| at + length),
        [b'"', ..] => at + quoted(rest),
        // A character, not a lifetime.
        [b'\'', b'\\', ..] => at + 2 + rest[3..].iter().position(|b| *b == b'\'').map_or(1, |p| p + 2),
        [b'\'', first, ..] => {
            let width = std::str::from_utf8(&rest[1..rest.len().min(5)])
                .map_or_else(|e| e.valid_up_to(), str::len)
                .min(if *first < 0x80 { 1 } else { 4 });
            let close = (1..=width).find(|width| rest.get(1 + width) == Some(&b'\''));
            close.map_or(at, |width| at + width + 2)
        }
        _ => at,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = rest.iter().take_while(|b| matches!(b, b'r' | b'b' | b'c')).count();
    let hashes = rest[prefix..].iter().take_while(|b| **b == b'#').count();
    let is_raw = rest[..prefix].contains(&b'r');
    if prefix > 2 || !is_raw || rest.get(prefix + hashes) != Some(&b'"') {
        return None;
    }
    let end = [vec![b'"'], vec![b'#'; hashes]].concat();
    let body = prefix + hashes + 1;
    let found = rest[body..].windows(end.len()).position(|window| window == end);
    Some(found.map_or(rest.len(), |found| body + found + end.len()))
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A function: its name, the line it starts on and how many lines it takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// The functions with a body in a Rust source, nested ones too.
pub fn functions(source: &str) -> Vec<Function> {
    let code = code(source);
    let is_start =
        |at: usize| at == 0 || !code.as_bytes()[at - 1].is_ascii_alphanumeric() && code.as_bytes()[at - 1] != b'_';
    code.match_indices("fn ")
        .filter(|(at, _)| is_start(*at))
        .filter_map(|(at, _)| {
            let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let end = body_end(&code.as_bytes()[at..]).filter(|_| !name.is_empty())? + at;
            let line = code[..at].matches('\n').count() + 1;
            Some(Function { name, line, lines: code[at..end].matches('\n').count() + 1 })
        })
        .collect()
}

/// The end of the block after a signature; none if it ends with a semicolon.
fn body_end(code: &[u8]) -> Option<usize> {
    let (mut nested, mut braces) = (0_i32, 0_i32);
    for (at, byte) in code.iter().enumerate() {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested -= 1,
            b'{' => braces += 1,
            b'}' => {
                braces -= 1;
                if braces <= 0 {
                    return Some(at);
                }
            }
            b';' if nested == 0 && braces == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn code_is_what_is_left_without_comments_and_literals() {
    let source = "let a = \"sqlx {\"; // tokio {\n/* rand { /* x */ */ let b = r#\"{ \"q\" \"#; let c = '{'; let d: &'a str = '\\'';";
    let code = code(source);
    for gone in ["sqlx", "tokio", "rand", "{", "q"] {
        assert!(!code.contains(gone), "{gone} in {code}");
    }
    for kept in ["let a =", "let b =", "let c =", "&'a str", "\n"] {
        assert!(code.contains(kept), "{kept} not in {code}");
    }
}

#[test]
fn functions_are_found_with_their_lengths() {
    let source =
        "trait T { fn no_body(&self, x: [u8; 3]); }\nfn one() -> &'static str { \"}\" }\n\nasync fn three(\n) {\n}\n";
    let expected = [("one", 2, 1), ("three", 4, 3)];
    let expected: Vec<_> =
        expected.map(|(name, line, lines)| Function { name: name.to_owned(), line, lines }).into_iter().collect();
    assert_eq!(functions(source), expected);
}

#[test]
fn production_ends_where_the_tests_begin() {
    let inline = File::new("a/src/x.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n");
    assert_eq!(inline.production(), "fn a() {}\n");
    let declared = File::new("a/src/x.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
    assert_eq!(declared.production(), declared.text);
}
