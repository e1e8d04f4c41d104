//! The layers inside a slice of write-api: http over commands over table over domain.

use super::{
    files::File,
    modules::{Crate, Module},
};

const PART: &str = "write-api";
/// The folder of the slices.
const SLICES: &str = "contexts";

/// A layer, the layers of its own slice that it may use, and the modules outside of any slice.
struct Layer {
    name: &'static str,
    own: &'static [&'static str],
    shared: &'static [&'static str],
}

const LAYERS: [Layer; 5] = [
    Layer { name: "domain", own: &[], shared: &["domain"] },
    Layer { name: "table", own: &["domain"], shared: &["domain", "pipeline"] },
    Layer {
        name: "port",
        own: &["domain", "table"],
        shared: &["domain", "pipeline", "oidc", "passwords", "providers", "vault"],
    },
    Layer {
        name: "commands",
        own: &["domain", "table", "port"],
        shared: &["domain", "oidc", "pipeline", "providers", "second_factor"],
    },
    Layer {
        name: "process",
        own: &["domain", "table", "port", "commands"],
        shared: &["domain", "pipeline", "clock", "mail", "providers"],
    },
];

/// Nothing is above it in its slice, so that it may use whatever it needs.
const TOP: &str = "http";
/// What a slice lets the others read.
const PORT: &str = "port";
/// The layers that may ask another slice.
const ASKING: [&str; 3] = ["commands", "process", TOP];

/// Paths of a slice that lead up, into another slice, or past the pipeline; and files that belong to no layer.
pub fn broken(files: &[File]) -> Vec<String> {
    let own = Crate::of(PART, files);
    let mut found = Vec::new();
    for (module, file) in &own.files {
        let [folder, slice, layer, ..] = &module[..] else { continue };
        if folder != SLICES {
            continue;
        }
        let rules = LAYERS.iter().find(|rules| rules.name == layer);
        if rules.is_none() && layer != TOP {
            found.push(format!("{}: `{layer}` is no layer of a slice", file.path));
        }
        for path in file.syntax.paths.iter().filter(|path| !path.in_test) {
            let target = own.named(module, &path.within, &path.segments);
            let Some(reason) = target.and_then(|target| refused(slice, layer, rules, &target)) else { continue };
            let violation = format!("{}:{} {}: {reason}", file.path, path.line, path.segments.join("::"));
            if !found.contains(&violation) {
                found.push(violation);
            }
        }
    }
    found
}

fn refused(slice: &str, layer: &str, rules: Option<&Layer>, target: &Module) -> Option<String> {
    match &target[..] {
        [folder, other, rest @ ..] if folder == SLICES && other != slice => {
            let is_port = rest.first().is_some_and(|part| part == PORT);
            (!is_port || !ASKING.contains(&layer)).then(|| format!("{layer} of {slice} may not ask {other} so"))
        }
        [folder, _, part, ..] if folder == SLICES => {
            let rules = rules.filter(|_| part != layer)?;
            (!rules.own.contains(&part.as_str())).then(|| format!("{layer} is below {part}"))
        }
        [shared, ..] if shared != SLICES => {
            (!rules?.shared.contains(&shared.as_str())).then(|| format!("{layer} may not use {shared}"))
        }
        _ => rules.map(|_| format!("{layer} may not use the whole")),
    }
}

#[test]
fn what_leads_up_or_into_another_slice_is_found() {
    let file = |path: &str, text: &str| File::new(&format!("write-api/src/{path}.rs"), text);
    let found = |path: &str, text: &str| {
        let others = [
            "lib",
            "domain",
            "pipeline",
            "http",
            "contexts",
            "contexts/a",
            "contexts/a/domain",
            "contexts/a/table",
            "contexts/a/http",
            "contexts/b/port",
            "contexts/b/table",
        ];
        let mut files: Vec<File> = others.iter().filter(|other| **other != path).map(|other| file(other, "")).collect();
        files.push(file(path, text));
        broken(&files)
    };
    for (path, wrong) in [
        ("contexts/a/domain", "use super::table::T;"),
        ("contexts/a/domain/state", "use crate::pipeline::P;"),
        ("contexts/a/domain", "use crate::contexts::b::port::B;"),
        ("contexts/a/table", "fn f() { super::http::g() }"),
        ("contexts/a/commands", "use crate::http::Extract;"),
        ("contexts/a/commands", "use crate::contexts::b::table::T;"),
        ("contexts/a/http", "use crate::contexts::b::table::T;"),
        ("contexts/a/helper", ""),
    ] {
        assert_eq!(found(path, wrong).len(), 1, "{wrong} in {path}: {:?}", found(path, wrong));
    }
    for (path, right) in [
        ("contexts/a/domain/state", "use super::X; use crate::domain::Slug;"),
        ("contexts/a/table", "use super::domain::D; use crate::pipeline::Table;"),
        ("contexts/a/commands", "use super::{domain::D, table::T}; use crate::contexts::b::port::B;"),
        ("contexts/a/http", "use super::commands::C; use crate::{config, http::Extract};"),
        ("contexts/a/domain", "#[cfg(test)]\nmod tests { use crate::contexts::b::table::T; }"),
    ] {
        assert!(found(path, right).is_empty(), "{right} in {path}: {:?}", found(path, right));
    }
}
