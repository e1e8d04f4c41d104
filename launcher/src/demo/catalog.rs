//! What the demo catalog is made of: the departments as they stand in the TOML files.

use serde::Deserialize;
use std::collections::BTreeMap;

const DEPARTMENTS: [&str; 10] = [
    include_str!("departments/computers.toml"),
    include_str!("departments/audio.toml"),
    include_str!("departments/phones.toml"),
    include_str!("departments/kitchen.toml"),
    include_str!("departments/furniture.toml"),
    include_str!("departments/clothing.toml"),
    include_str!("departments/shoes.toml"),
    include_str!("departments/sports.toml"),
    include_str!("departments/toys.toml"),
    include_str!("departments/garden.toml"),
];

/// A part of the shop: the root of a category tree.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Department {
    pub(super) name: String,
    pub(super) brands: Vec<String>,
    /// One ends each description.
    pub(super) closing: Vec<String>,
    pub(super) types: Vec<Kind>,
}

/// A kind of product. Titles and phrases may name attributes, `{brand}`, `{series}` and `{noun}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kind {
    /// The categories below the department.
    pub(super) path: Vec<String>,
    pub(super) noun: String,
    pub(super) title: String,
    pub(super) series: Vec<String>,
    /// The lowest and the highest list price in cents.
    pub(super) price: [i64; 2],
    /// One begins each description.
    pub(super) about: Vec<String>,
    /// One or two go on.
    pub(super) notes: Vec<String>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, Values>,
    #[serde(default)]
    pub(super) options: BTreeMap<String, Choice>,
}

/// The values an attribute may have.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Values {
    List(Vec<serde_json::Value>),
    Steps { from: i64, to: i64, step: i64 },
}

/// What makes the variants of a product differ.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    pub(super) values: Vec<String>,
    /// Cents by which each value costs more than the one before.
    #[serde(default)]
    pub(super) step: i64,
}

/// All departments; the files are part of the binary and checked by a test.
pub(super) fn departments() -> Vec<Department> {
    DEPARTMENTS.iter().filter_map(|text| toml::from_str(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_department_can_be_read() {
        for text in DEPARTMENTS {
            toml::from_str::<Department>(text).expect("a department");
        }
    }

    #[test]
    fn no_category_name_stands_twice_in_the_tree() {
        let mut seen = HashSet::new();
        let departments = departments();
        let groups = departments
            .iter()
            .flat_map(|department| department.types.iter().map(|kind| (department.name.clone(), kind.path[0].clone())));
        let groups: HashSet<_> = groups.collect();
        for name in departments.iter().map(|department| department.name.as_str()) {
            assert!(seen.insert(name.to_lowercase()), "{name}");
        }
        for (_, name) in &groups {
            assert!(seen.insert(name.to_lowercase()), "{name}");
        }
        for kind in departments.iter().flat_map(|department| &department.types) {
            assert_eq!(kind.path.len(), 2, "{}", kind.noun);
            assert!(seen.insert(kind.path[1].to_lowercase()), "{}", kind.path[1]);
        }
    }
}
