//! Category paths of the source become categories of souk, each written before a product names it.

use super::mapping::CategorySlug;
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// The way from a root to one category, by names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryPath {
    names: Vec<String>,
    ids: Vec<String>,
    slug: CategorySlug,
}

impl CategoryPath {
    /// A way of at least one name.
    pub(crate) fn new(names: Vec<String>, slug: CategorySlug) -> Self {
        let slugs: Vec<_> = names.iter().map(|name| slugify(name)).collect();
        let ids = (1..=slugs.len()).map(|depth| slugs[..depth].join("/")).collect();
        Self { names, ids, slug }
    }

    /// The external id of the category it leads to.
    pub(crate) fn id(&self) -> &str {
        self.ids.last().map_or("", String::as_str)
    }

    fn lines(&self) -> impl Iterator<Item = CategoryLine> + '_ {
        self.names.iter().zip(&self.ids).enumerate().map(|(depth, (name, id))| CategoryLine {
            external_id: id.clone(),
            parent: depth.checked_sub(1).map(|above| self.ids[above].clone()),
            name: name.clone(),
            slug: match self.slug {
                CategorySlug::Path => bounded(id.replace('/', "-")),
                CategorySlug::Leaf => slugify(name),
            },
        })
    }
}

/// A line of `POST /v1/categories/bulk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CategoryLine {
    pub(crate) external_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<String>,
    pub(crate) name: String,
    pub(crate) slug: String,
}

/// What has become of the categories met so far.
#[derive(Debug, Default)]
pub(crate) struct Categories {
    seen: HashSet<String>,
    refused: HashMap<String, String>,
    /// In a dry run: they would be created, so no product can name them yet.
    absent: HashSet<String>,
}

impl Categories {
    /// Those of the paths not met before, parents before children.
    pub(crate) fn unmet<'a>(&mut self, paths: impl Iterator<Item = &'a CategoryPath>) -> Vec<CategoryLine> {
        let mut lines = Vec::new();
        for path in paths.filter(|path| !self.seen.contains(path.id())).collect::<Vec<_>>() {
            lines.extend(path.lines().filter(|line| self.seen.insert(line.external_id.clone())));
        }
        lines
    }

    pub(crate) fn refuse(&mut self, id: &str, reason: String) {
        self.refused.insert(id.to_owned(), reason);
    }

    pub(crate) fn set_absent(&mut self, id: &str) {
        self.absent.insert(id.to_owned());
    }

    /// The external ids to write on a product's line.
    ///
    /// # Errors
    /// Why the write API refused the first of them that it refused.
    pub(crate) fn ids(&self, paths: &[CategoryPath]) -> Result<Vec<String>, String> {
        let mut ids = Vec::with_capacity(paths.len());
        for id in paths.iter().map(CategoryPath::id) {
            if let Some(reason) = self.refused.get(id) {
                return Err(format!("its category `{id}` was refused: {reason}"));
            }
            if !self.absent.contains(id) && !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
        }
        Ok(ids)
    }
}

/// A slug as short as souk allows, at most 200 letters; what is cut off lives on in a hash.
fn bounded(slug: String) -> String {
    if slug.len() <= 200 {
        return slug;
    }
    let hash = super::position::sha256_hex(slug.as_bytes());
    format!("{}-{}", slug[..180].trim_end_matches('-'), &hash[..8])
}

/// Lower-case ASCII letters, digits and single hyphens. What can't be written so is made up for by a
/// piece of the name's hash, so that different names stay different.
pub(crate) fn slugify(name: &str) -> String {
    // What separates words says nothing; other signs tell names apart: `C`, `C++` and `C#`.
    const BETWEEN: [char; 15] = ['-', '–', '&', ',', '.', ';', ':', '/', '|', '\'', '’', '(', ')', '_', '·'];
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(name);
    let name = composed.as_ref();
    let mut slug = String::with_capacity(name.len());
    let mut lost = false;
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else {
            lost |= !letter.is_whitespace() && !BETWEEN.contains(&letter);
            if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
    }
    let mut slug = slug.trim_end_matches('-').to_owned();
    if lost || slug.is_empty() {
        let hash = super::position::sha256_hex(name.as_bytes());
        slug = format!("{slug}-{}", &hash[..8]).trim_start_matches('-').to_owned();
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(names: &[&str]) -> CategoryPath {
        CategoryPath::new(names.iter().map(|name| (*name).to_owned()).collect(), CategorySlug::Path)
    }

    #[test]
    fn each_category_is_named_once_and_after_its_parent() {
        let mut categories = Categories::default();
        let paths = [path(&["Home & Kitchen", "Pans"]), path(&["Home & Kitchen", "Pots"])];
        let lines = categories.unmet(paths.iter());
        let ids: Vec<_> = lines.iter().map(|line| line.external_id.as_str()).collect();
        assert_eq!(ids, ["home-kitchen", "home-kitchen/pans", "home-kitchen/pots"]);
        assert_eq!(lines[2].parent.as_deref(), Some("home-kitchen"));
        assert_eq!(lines[2].slug, "home-kitchen-pots");
        assert_eq!(categories.unmet(paths.iter()), []);
    }

    #[test]
    fn a_product_in_a_refused_category_is_told_so() {
        let mut categories = Categories::default();
        categories.refuse("a/b", "the slug is taken".to_owned());
        assert_eq!(categories.ids(&[path(&["A"])]), Ok(vec!["a".to_owned()]));
        let reason = categories.ids(&[path(&["A", "B"])]).expect_err("refused");
        assert!(reason.contains("`a/b`") && reason.contains("the slug is taken"), "{reason}");
    }

    #[test]
    fn names_that_no_slug_can_hold_stay_different() {
        assert_eq!(slugify("  TV & Audio "), "tv-audio");
        assert_ne!(slugify("日本"), slugify("中国"));
        assert!(slugify("Ürün").starts_with("r-n-"), "{}", slugify("Ürün"));
        assert_eq!(slugify("U\u{308}ru\u{308}n"), slugify("Ürün"));
        let languages = ["C", "C++", "C#", "C*"].map(slugify);
        assert_eq!(languages.iter().collect::<HashSet<_>>().len(), languages.len(), "{languages:?}");
    }
}
