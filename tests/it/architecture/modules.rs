//! A crate as a tree of modules, and which of them holds what a path names.

use super::{files::File, syntax::Import};
use std::collections::BTreeMap;

/// A module's path from the root of its crate.
pub type Module = Vec<String>;

/// The modules of a crate that are files; inline ones belong to the file they stand in.
pub struct Crate<'a> {
    pub files: BTreeMap<Module, &'a File>,
}

/// How many modules may pass a name on.
const DETOURS: usize = 8;

impl<'a> Crate<'a> {
    /// The library of a part, without its tests; programs are crates of their own.
    pub fn of(part: &str, files: &'a [File]) -> Self {
        let source = format!("{part}/src/");
        let own = files.iter().filter(|file| file.is_rust() && !file.is_test()).filter_map(|file| {
            let path = file.path.strip_prefix(&source)?.strip_suffix(".rs")?;
            match path {
                "lib" => Some((Vec::new(), file)),
                "main" => None,
                _ if path.starts_with("bin/") => None,
                _ => Some((path.split('/').map(str::to_owned).collect(), file)),
            }
        });
        Self { files: own.collect() }
    }

    /// The module whose file holds what a path names; none if that is in another crate. `within` are the inline
    /// modules that the path stands in.
    pub fn named(&self, module: &Module, within: &[String], path: &[String]) -> Option<Module> {
        let from: Module = module.iter().chain(within).cloned().collect();
        Some(self.target(&self.absolute(&from, path)?, DETOURS))
    }

    fn absolute(&self, from: &Module, path: &[String]) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => from.clone(),
            child => {
                let child: Module = from.iter().cloned().chain([child.to_owned()]).collect();
                return self
                    .files
                    .contains_key(&child)
                    .then(|| child.into_iter().chain(rest.iter().cloned()).collect());
            }
        };
        if first == "super" {
            base.pop()?;
        }
        while let Some(("super", further)) = rest.split_first().map(|(next, further)| (next.as_str(), further)) {
            base.pop()?;
            rest = further;
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn target(&self, path: &Module, detours: usize) -> Module {
        let held = (0..=path.len()).rev().map(|length| &path[..length]).find(|start| self.files.contains_key(*start));
        let module = held.unwrap_or_default().to_vec();
        let passed_on = path.get(module.len()).and_then(|name| {
            let imports = &self.files.get(&module)?.syntax.imports;
            let is_it = |import: &&Import| !import.in_test && import.within.is_empty() && import.name == *name;
            self.absolute(&module, &imports.iter().find(is_it)?.path)
        });
        match passed_on {
            Some(further) if detours > 0 && further != *path => self.target(&further, detours - 1),
            _ => module,
        }
    }
}

#[test]
fn a_path_leads_to_the_file_that_holds_what_it_names() {
    let files = [
        File::new("a/src/lib.rs", "pub use x::z::Z;"),
        File::new("a/src/x.rs", "use super::y::Y as Renamed; mod inline {}"),
        File::new("a/src/x/z.rs", ""),
        File::new("a/src/y.rs", ""),
        File::new("a/src/main.rs", ""),
    ];
    let own = Crate::of("a", &files);
    let module =
        |text: &str| -> Module { text.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect() };
    for (from, within, path, expected) in [
        ("y", "", "crate::Z", Some("x::z")),
        ("y", "", "super::x::z::f", Some("x::z")),
        ("x", "inline", "super::z", Some("x::z")),
        ("x::z", "", "super::super::y", Some("y")),
        ("x::z", "", "super::Renamed::new", Some("y")),
        ("x", "", "z::g", Some("x::z")),
        ("x", "", "self::h", Some("x")),
        ("x", "", "std::fmt", None),
    ] {
        let found = own.named(&module(from), &module(within), &module(path));
        assert_eq!(found, expected.map(module), "{path} in {from}");
    }
}
