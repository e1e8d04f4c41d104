//! Where a generation stands in the document topic. The form in commits, reports and the read database is a
//! JSON list of topic, partition and next offset.

use std::collections::{BTreeMap, BTreeSet};

/// Topic and partition to the next offset to read.
pub type Offsets = BTreeMap<(String, i32), i64>;

/// Reads the JSON form; an empty text is the beginning.
///
/// # Errors
/// If it is no such list.
pub fn parse(text: &str) -> Result<Offsets, serde_json::Error> {
    if text.is_empty() {
        return Ok(Offsets::new());
    }
    let list: Vec<(String, i32, i64)> = serde_json::from_str(text)?;
    Ok(list.into_iter().map(|(topic, partition, offset)| ((topic, partition), offset)).collect())
}

/// The JSON form.
#[must_use]
pub fn to_json(offsets: &Offsets) -> String {
    let list: Vec<_> = offsets.iter().map(|((topic, partition), offset)| (topic, partition, offset)).collect();
    // Texts and whole numbers can always be written.
    serde_json::to_string(&list).unwrap_or_default()
}

/// Whether everything before `other` has been read. Where `own` says nothing, nothing has been.
#[must_use]
pub fn covers(own: &Offsets, other: &Offsets) -> bool {
    other.iter().all(|(partition, offset)| own.get(partition).copied().unwrap_or_default() >= *offset)
}

/// As [`covers`], for an index that was built anew: what `other` has read of topics that `own` doesn't know at all, such as
/// those of a log before, is nothing that could be read again.
#[must_use]
pub fn covers_again(own: &Offsets, other: &Offsets) -> bool {
    let known: BTreeSet<&str> = own.keys().map(|(topic, _)| topic.as_str()).collect();
    let again = other.iter().filter(|((topic, _), _)| known.is_empty() || known.contains(topic.as_str()));
    covers(own, &again.map(|(at, next)| (at.clone(), *next)).collect())
}

/// Those of Kafka's topics: a build from the views keeps its place there beside them.
#[must_use]
pub fn of_topics(offsets: &Offsets) -> Offsets {
    offsets
        .iter()
        .filter(|((topic, _), _)| !topic.starts_with("views:"))
        .map(|(at, next)| (at.clone(), *next))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_back_and_compared() {
        let of = |a: i64, b: i64| Offsets::from([(("d".to_owned(), 0), a), (("d".to_owned(), 1), b)]);
        assert_eq!(parse(&to_json(&of(3, 4))).expect("read"), of(3, 4));
        assert_eq!(parse("").expect("read"), Offsets::new());
        let before = Offsets::from([(("d of a log before".to_owned(), 0), 9), (("d".to_owned(), 0), 3)]);
        assert!(covers_again(&of(3, 4), &before) && !covers_again(&of(2, 4), &before));
        assert!(!covers_again(&Offsets::new(), &before) && !covers(&of(3, 4), &before));
        assert!(covers(&of(3, 4), &of(3, 3)) && !covers(&of(3, 4), &of(2, 5)) && !covers(&Offsets::new(), &of(0, 1)));
    }
}
