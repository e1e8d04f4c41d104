//! The entries of a shop, one behind the other, and what of them is not as it was recorded.

use super::Head;
use schemas::{
    audit::{self, BEGINNING},
    events::audit::EntryRecorded,
};
use serde::Serialize;
use std::fmt;

/// Something that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "flaw", rename_all = "snake_case")]
pub enum Flaw {
    /// The text of an entry, or its digest, is another.
    Changed {
        /// The entry.
        number: i64,
    },
    /// An entry does not follow the one before it: one of the two is another, or stands elsewhere.
    OutOfOrder {
        /// The entry.
        number: i64,
    },
    /// Entries are gone.
    Missing {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
    /// The trail says that the last entry is another.
    OtherEnd {
        /// The number of the last entry that is there.
        number: i64,
    },
    /// The copy on the read side is another.
    OtherThanCopy {
        /// The entry.
        number: i64,
    },
    /// An exported head is of another entry.
    OtherThanExported {
        /// The entry.
        number: i64,
    },
    /// An exported head was not signed with this installation's key, or was changed since.
    NotSigned {
        /// The entry that it is of.
        number: i64,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { number } => write!(f, "entry {number} is not as it was recorded"),
            Self::OutOfOrder { number } => write!(f, "entry {number} does not follow the one before it"),
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing"),
            Self::Missing { from, to } => write!(f, "the entries {from} to {to} are missing"),
            Self::OtherEnd { number } => write!(f, "the trail ends with another entry than {number}"),
            Self::OtherThanCopy { number } => write!(f, "entry {number} is another on the read side"),
            Self::OtherThanExported { number } => write!(f, "entry {number} is another than the one that was exported"),
            Self::NotSigned { number } => {
                write!(f, "the exported head of entry {number} was not signed with this key, or was changed")
            }
        }
    }
}

/// Takes the entries of a shop in their order.
#[derive(Debug)]
pub struct Chain<'a> {
    /// Whether months were archived: then the first entry here need not be the first of all.
    is_archived: bool,
    exported: Vec<&'a Head>,
    first: Option<i64>,
    last: i64,
    /// The digest of the last one; none before the first if there were others before it.
    digest: Option<String>,
    entries: u64,
    flaws: Vec<Flaw>,
}

impl<'a> Chain<'a> {
    /// Of a shop whose heads were exported.
    #[must_use]
    pub fn new(is_archived: bool, exported: &[&'a Head]) -> Self {
        let flaws = exported.iter().filter(|head| !head.is_genuine).map(|head| Flaw::NotSigned { number: head.number });
        Self {
            is_archived,
            exported: exported.iter().copied().filter(|head| head.is_genuine).collect(),
            first: None,
            last: 0,
            digest: Some(BEGINNING.to_owned()),
            entries: 0,
            flaws: flaws.collect(),
        }
    }

    /// The number of the first entry here; 0 if there is none.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.first.unwrap_or_default()
    }

    /// Entries that were taken.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The number of the last entry that was taken; 0 if none was.
    #[must_use]
    pub const fn last(&self) -> i64 {
        self.last
    }

    /// Takes the next entry as the payload of its event, with the digest of its copy if there is one.
    pub fn take(&mut self, number: i64, payload: &str, copy: Option<&str>) {
        // What can't be read has no digest, and is found by that.
        let EntryRecorded { entry, previous, digest } = serde_json::from_str(payload).unwrap_or_else(|_| unreadable());
        let follows_archive = self.first.is_none() && self.is_archived && number > 1;
        self.first.get_or_insert(number);
        if follows_archive {
            self.digest = None;
        } else if number > self.last + 1 {
            self.flaws.push(Flaw::Missing { from: self.last + 1, to: number - 1 });
            // Found already; that it does not follow the one before the gap says no more.
            self.digest = None;
        }
        if self.digest.as_deref().is_some_and(|before| before != previous) {
            self.flaws.push(Flaw::OutOfOrder { number });
        }
        if audit::digest(&previous, &entry).as_ref() != Some(&digest) {
            self.flaws.push(Flaw::Changed { number });
        }
        if copy.is_some_and(|copy| copy != digest) {
            self.flaws.push(Flaw::OtherThanCopy { number });
        }
        let mut exported = self.exported.iter().filter(|head| head.number == number);
        if exported.any(|head| head.digest != digest) {
            self.flaws.push(Flaw::OtherThanExported { number });
        }
        // What follows is held to what this one says of itself, so that each flaw is told where it is.
        (self.last, self.digest) = (number, Some(digest));
        self.entries += 1;
    }

    /// What is not as it was recorded, with what the trail, the copy and exported heads say of the end.
    #[must_use]
    pub fn end(mut self, trail: Option<(i64, String)>, copied: Option<i64>) -> Vec<Flaw> {
        let ends =
            self.exported.iter().map(|head| head.number).chain(copied).chain(trail.iter().map(|(last, _)| *last));
        let furthest = ends.max().unwrap_or_default();
        let is_end = |(last, digest)| last == self.last && self.digest.as_ref() == Some(&digest);
        if furthest > self.last {
            self.flaws.push(Flaw::Missing { from: self.last + 1, to: furthest });
        } else if self.last > 0 && !trail.is_some_and(is_end) {
            self.flaws.push(Flaw::OtherEnd { number: self.last });
        }
        self.flaws
    }
}

fn unreadable() -> EntryRecorded {
    EntryRecorded { entry: String::new(), previous: String::new(), digest: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Links = Vec<(i64, EntryRecorded)>;

    fn links(count: i64) -> Links {
        let mut previous = BEGINNING.to_owned();
        let link = |number| {
            let entry = format!("entry {number}");
            let digest = audit::digest(&previous, &entry).expect("a digest");
            let previous = std::mem::replace(&mut previous, digest.clone());
            (number, EntryRecorded { entry, previous, digest })
        };
        (1..=count).map(link).collect()
    }

    fn end(links: &[(i64, EntryRecorded)]) -> Option<(i64, String)> {
        links.last().map(|(number, recorded)| (*number, recorded.digest.clone()))
    }

    fn take(chain: &mut Chain<'_>, links: &[(i64, EntryRecorded)], copy: impl Fn(i64) -> Option<&'static str>) {
        for (number, recorded) in links {
            chain.take(*number, &serde_json::to_string(recorded).expect("JSON"), copy(*number));
        }
    }

    fn flaws(links: &[(i64, EntryRecorded)], trail: Option<(i64, String)>) -> Vec<Flaw> {
        let mut chain = Chain::new(false, &[]);
        take(&mut chain, links, |_| None);
        chain.end(trail, None)
    }

    #[test]
    fn what_was_changed_removed_moved_or_cut_off_is_found_at_its_place() {
        let whole = links(9);
        let trail = end(&whole);
        assert_eq!(flaws(&whole, trail.clone()), []);
        let mut edited = whole.clone();
        edited[3].1.entry = "another".to_owned();
        assert_eq!(flaws(&edited, trail.clone()), [Flaw::Changed { number: 4 }]);
        // With a digest that fits, the next one tells.
        edited[3].1.digest = audit::digest(&edited[3].1.previous, "another").expect("a digest");
        assert_eq!(flaws(&edited, trail.clone()), [Flaw::OutOfOrder { number: 5 }]);
        let mut gone = whole.clone();
        gone.drain(3..5);
        assert_eq!(flaws(&gone, trail.clone()), [Flaw::Missing { from: 4, to: 5 }]);
        let mut moved = whole.clone();
        let (one, other) = (moved[2].1.clone(), moved[5].1.clone());
        (moved[2].1, moved[5].1) = (other, one);
        assert_eq!(flaws(&moved, trail.clone()), [3, 4, 6, 7].map(|number| Flaw::OutOfOrder { number }));
        assert_eq!(flaws(&whole[..6], trail.clone()), [Flaw::Missing { from: 7, to: 9 }]);
        assert_eq!(flaws(&whole[2..], trail), [Flaw::Missing { from: 1, to: 2 }]);
        assert_eq!(flaws(&whole, Some((9, BEGINNING.to_owned()))), [Flaw::OtherEnd { number: 9 }]);
        assert_eq!(flaws(&whole, None), [Flaw::OtherEnd { number: 9 }]);
        assert_eq!(flaws(&[], None), []);
        assert_eq!(flaws(&[], Some((2, BEGINNING.to_owned()))), [Flaw::Missing { from: 1, to: 2 }]);
    }

    #[test]
    fn what_cannot_be_read_is_not_as_it_was_recorded() {
        let mut chain = Chain::new(false, &[]);
        chain.take(1, "no JSON", None);
        assert_eq!(
            chain.end(None, None),
            [Flaw::OutOfOrder { number: 1 }, Flaw::Changed { number: 1 }, Flaw::OtherEnd { number: 1 }]
        );
    }

    #[test]
    fn a_chain_that_was_made_anew_is_another_than_its_copy_and_its_exported_heads() {
        let whole = links(5);
        let mut chain = Chain::new(false, &[]);
        take(&mut chain, &whole, |number| (number == 4).then_some("another"));
        // The copy has more: what was cut off here, with the trail.
        let found = chain.end(end(&whole), Some(7));
        assert_eq!(found, [Flaw::OtherThanCopy { number: 4 }, Flaw::Missing { from: 6, to: 7 }]);
        let last = end(&whole).expect("an end").1;
        let heads = [Head::of(3, "another"), Head::of(5, &last), Head { is_genuine: false, ..Head::of(2, "") }];
        let mut chain = Chain::new(false, &heads.iter().collect::<Vec<_>>());
        take(&mut chain, &whole, |_| None);
        let found = chain.end(end(&whole), None);
        assert_eq!(found, [Flaw::NotSigned { number: 2 }, Flaw::OtherThanExported { number: 3 }]);
    }

    #[test]
    fn a_chain_begins_where_the_archive_ends() {
        let whole = links(6);
        let mut chain = Chain::new(true, &[]);
        take(&mut chain, &whole[3..], |_| None);
        assert_eq!((chain.first(), chain.entries()), (4, 3));
        assert_eq!(chain.end(end(&whole), None), []);
    }
}
