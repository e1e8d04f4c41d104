//! Inside a crate, files use each other in one direction.
//!
//! An edge goes from a file to another one whose item its production code names, by a path that starts with
//! `crate`, `self` or `super`, or by a name that another file passes on: `A` of the crate where `lib.rs` has
//! `pub use a::A` is an edge to `a.rs`. No edge goes from a file to the files of its own folder: `foo.rs` declares
//! them, passes their items on and calls them, and they may use it. Everything else that comes back to where
//! it began is a cycle.

use super::{
    files::File,
    modules::{Crate, Module},
    syntax::Path,
};
use std::collections::{BTreeMap, VecDeque};

struct Graph<'a> {
    own: Crate<'a>,
    /// From a module to those it uses, with the first line that does.
    edges: BTreeMap<Module, BTreeMap<Module, usize>>,
}

impl<'a> Graph<'a> {
    fn of(part: &str, files: &'a [File]) -> Self {
        let own = Crate::of(part, files);
        let edges = own.files.iter().map(|(module, file)| (module.clone(), used(&own, module, file))).collect();
        Self { own, edges }
    }

    /// The shortest way from a module back to itself, as `a.rs:3 -> b.rs:9 -> a.rs`.
    fn cycle(&self, start: &Module) -> Option<String> {
        let mut before: BTreeMap<&Module, &Module> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(module) = queue.pop_front() {
            for next in self.edges.get(module)?.keys() {
                if next == start {
                    let mut way = vec![module];
                    while let Some(previous) = before.get(way[way.len() - 1]).filter(|_| way[way.len() - 1] != start) {
                        way.push(previous);
                    }
                    way.reverse();
                    return Some(self.told(&way, start));
                }
                if !before.contains_key(next) {
                    before.insert(next, module);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    fn told(&self, way: &[&Module], start: &Module) -> String {
        let steps = way
            .iter()
            .zip(way.iter().skip(1).chain([&start]))
            .map(|(from, to)| format!("{}:{} -> ", self.own.files[*from].path, self.edges[*from][*to]));
        steps.chain([self.own.files[start].path.clone()]).collect()
    }
}

fn used(own: &Crate<'_>, module: &Module, file: &File) -> BTreeMap<Module, usize> {
    let mut used = BTreeMap::new();
    for Path { within, segments, line, in_test } in &file.syntax.paths {
        let target = own.named(module, within, segments).filter(|target| !in_test && !target.starts_with(module));
        if let Some(target) = target {
            used.entry(target).or_insert(*line);
        }
    }
    used
}

/// Files in a cycle, each with its shortest.
pub fn cycles(part: &str, files: &[File]) -> Vec<String> {
    let whole = Graph::of(part, files);
    whole.own.files.keys().filter_map(|module| whole.cycle(module)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File::new(&format!("a/src/{path}"), text)
    }

    #[test]
    fn a_cycle_is_found_and_told() {
        let files = [
            file("lib.rs", "mod x;\nmod y;"),
            file("x.rs", "use crate::y::Y;"),
            file("y.rs", "fn f() {\n super::x::g() }"),
        ];
        let expected = ["a/src/x.rs:1 -> a/src/y.rs:2 -> a/src/x.rs", "a/src/y.rs:2 -> a/src/x.rs:1 -> a/src/y.rs"];
        assert_eq!(cycles("a", &files), expected);
    }

    #[test]
    fn an_item_that_is_passed_on_belongs_to_its_own_file() {
        let files = [
            file("lib.rs", "mod x;\npub use x::z::Z;\nuse x::z;"),
            file("x.rs", "pub mod z;"),
            file("x/z.rs", "use crate::y::Y;"),
            file("y.rs", "use crate::Z;"),
        ];
        assert_eq!(cycles("a", &files)[0], "a/src/x/z.rs:1 -> a/src/y.rs:1 -> a/src/x/z.rs");
    }

    #[test]
    fn a_file_and_its_folder_are_no_cycle_but_a_way_around_them_is() {
        let door =
            [file("x.rs", "mod z; pub use z::Z; fn f() { z::g(); crate::x::z::g() }"), file("x/z.rs", "use super::f;")];
        assert!(cycles("a", &door).is_empty());
        let around = [
            file("x.rs", "mod z; use crate::y::Y;"),
            file("x/z.rs", "pub struct Z;"),
            file("y.rs", "use crate::x::g;"),
        ];
        assert_eq!(cycles("a", &around).len(), 2);
    }

    #[test]
    fn tests_may_use_what_they_like() {
        let files = [
            file("x.rs", "use crate::y::Y;"),
            file("y.rs", "#[cfg(test)]\nmod tests { use crate::x::X; }"),
            file("y/tests.rs", "use crate::x::X;"),
        ];
        assert!(cycles("a", &files).is_empty());
    }
}
