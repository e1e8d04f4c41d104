//! Categories below categories, from paths such as `computers/laptops`.

use crate::query::FacetValue;
use serde_json::Value;

/// The text of a value by which it is chosen: of a path its last step.
pub(super) fn slug(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.rsplit('/').next().unwrap_or(&text).to_owned()
}

/// Keeps categories with a text in their slug, as people write it, and those above them.
pub(super) fn keep(values: &mut Vec<FacetValue>, wanted: &str) {
    let wanted = wanted.split_whitespace().collect::<Vec<_>>().join("-");
    let path = |value: &FacetValue| format!("{}/", value.value.as_str().unwrap_or_default());
    let found: Vec<String> = values.iter().filter(|value| slug(&value.value).contains(&wanted)).map(path).collect();
    values.retain(|value| found.iter().any(|found| found.starts_with(&path(value))));
}

/// Puts values with paths below one another, on each level the most frequent first and at most `limit`.
pub(super) fn grow(values: Vec<FacetValue>, limit: usize) -> Vec<FacetValue> {
    let mut paths: Vec<(String, FacetValue)> =
        values.into_iter().map(|value| (value.value.as_str().unwrap_or_default().to_owned(), value)).collect();
    // The deepest first, so that each finds its parent still waiting.
    paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.matches('/').count()));
    let mut waiting: Vec<(String, FacetValue)> = Vec::new();
    let mut roots = Vec::new();
    for (path, mut value) in paths {
        let below = format!("{path}/");
        let (children, others) = waiting
            .into_iter()
            .partition(|(child, _)| child.strip_prefix(&below).is_some_and(|rest: &str| !rest.contains('/')));
        waiting = others;
        let children: Vec<(String, FacetValue)> = children;
        value.children = best(children.into_iter().map(|(_, child)| child).collect(), limit);
        value.value = Value::String(slug(&value.value));
        if path.contains('/') { waiting.push((path, value)) } else { roots.push(value) }
    }
    best(roots, limit)
}

fn best(mut values: Vec<FacetValue>, limit: usize) -> Vec<FacetValue> {
    values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| slug(&a.value).cmp(&slug(&b.value))));
    values.truncate(limit.max(1));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_a_tree() {
        let value = |path: &str, count| FacetValue {
            value: path.into(),
            count,
            selected: false,
            total_if_toggled: count,
            children: Vec::new(),
        };
        let tree = grow(vec![value("a", 5), value("a/b", 3), value("c", 7), value("a/b/d", 1), value("a/e", 4)], 10);
        let names = |values: &[FacetValue]| {
            values.iter().map(|v| v.value.as_str().unwrap_or("").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&tree), ["c", "a"]);
        assert_eq!(names(&tree[1].children), ["e", "b"]);
        assert_eq!(names(&tree[1].children[1].children), ["d"]);
        let mut values = ["home", "home/tea-pots", "home/lamps", "tea"].map(|path| value(path, 1)).to_vec();
        keep(&mut values, "tea pots");
        assert_eq!(names(&values), ["home", "home/tea-pots"]);
    }
}
