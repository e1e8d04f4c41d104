//! Which differences are contradictions. Pure: looks and their times in, verdicts out.
//!
//! What was written a moment ago is still on its way to some surfaces. A difference contradicts once it has lasted for
//! [`GRACE`] while nothing was written: a newer version starts the clock anew.

use super::{
    chosen::Variant,
    said::{Look, Surface, Versions},
};
use schemas::Uuid;
use std::{collections::BTreeMap, time::Duration};

/// How long what was written may take to be told everywhere.
pub const GRACE: Duration = Duration::from_secs(2);
/// Variants that are looked at again at most. Where more differ, it is known already.
const MOST: usize = 100;

/// The variants of which different things are told.
#[derive(Debug, Default)]
pub struct Watch {
    suspects: BTreeMap<Uuid, Suspect>,
}

#[derive(Debug)]
struct Suspect {
    variant: Variant,
    versions: Versions,
    /// Since when each says otherwise, while nothing was written.
    since: BTreeMap<Surface, Duration>,
    /// When it was looked at last.
    seen: Duration,
    told: String,
}

/// How many variants a surface tells something else of than the write side, and the first by its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contradictions {
    /// Variants.
    pub count: i64,
    /// The shop, the SKU, and what each says; none if there is no variant.
    pub first: Option<String>,
}

impl Suspect {
    fn contradicts(&self, since: Duration) -> bool {
        self.seen.saturating_sub(since) >= GRACE
    }

    /// When all that differs has lasted long enough, if some has not yet.
    fn due(&self) -> Option<Duration> {
        let newest = self.since.values().copied().filter(|since| !self.contradicts(*since)).max();
        newest.map(|since| since.saturating_add(GRACE))
    }
}

impl Watch {
    /// Takes a look at a variant into account, which was over at `at`; all times count from one moment.
    pub fn look(&mut self, variant: &Variant, look: &Look, at: Duration) {
        let known = self.suspects.remove(&variant.id);
        let otherwise = look.otherwise();
        if otherwise.is_empty() || (known.is_none() && self.suspects.len() >= MOST) {
            return;
        }
        let since = known.filter(|known| look.is_steady() && known.versions == look.after).map(|known| known.since);
        let since = since.unwrap_or_default();
        let since = otherwise.into_iter().map(|surface| (surface, since.get(&surface).copied().unwrap_or(at)));
        let suspect = Suspect {
            variant: variant.clone(),
            versions: look.after,
            since: since.collect(),
            seen: at,
            told: format!("{variant}: {look}"),
        };
        self.suspects.insert(variant.id, suspect);
    }

    /// All that something differs of.
    #[must_use]
    pub fn suspects(&self) -> Vec<Variant> {
        self.suspects.values().map(|suspect| suspect.variant.clone()).collect()
    }

    /// Those whose verdict is open, and when it can be given for all of them; nothing if none is open.
    #[must_use]
    pub fn open(&self) -> Option<(Vec<Variant>, Duration)> {
        let open = self.suspects.values().filter_map(|suspect| Some((suspect.variant.clone(), suspect.due()?)));
        let (variants, due): (Vec<_>, Vec<_>) = open.unzip();
        Some((variants, due.into_iter().max()?))
    }

    /// What contradicts, by surface.
    #[must_use]
    pub fn contradictions(&self) -> BTreeMap<Surface, Contradictions> {
        let mut found = BTreeMap::<Surface, Contradictions>::new();
        for suspect in self.suspects.values() {
            for (surface, _) in suspect.since.iter().filter(|(_, since)| suspect.contradicts(**since)) {
                let of = found.entry(*surface).or_default();
                of.count += 1;
                if of.first.as_ref().is_none_or(|first| suspect.told < *first) {
                    of.first = Some(suspect.told.clone());
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::said::Said;

    const fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn variant(number: u128, sku: &str) -> Variant {
        let id = Uuid::from_u128(number);
        Variant { shop: Uuid::nil(), slug: "demo".to_owned(), id, product: Uuid::nil(), sku: sku.to_owned() }
    }

    /// A look at which these surfaces see a piece where there is none.
    fn look(wrong: &[Surface], stock: i64) -> Look {
        let said = |in_stock| Said { in_stock: Some(in_stock), ..Said::default() };
        let shown = Surface::SHOWN.into_iter().map(|surface| (surface, said(wrong.contains(&surface))));
        let versions = Versions { catalog: 1, stock };
        Look {
            said: [(Surface::Checkout, said(false))].into_iter().chain(shown).collect(),
            before: versions,
            after: versions,
        }
    }

    fn counted(watch: &Watch) -> Vec<(Surface, i64)> {
        watch.contradictions().into_iter().map(|(surface, found)| (surface, found.count)).collect()
    }

    #[test]
    fn a_difference_contradicts_once_it_has_lasted_for_two_seconds() {
        let (mut watch, one) = (Watch::default(), variant(1, "K-1"));
        watch.look(&one, &look(&[Surface::Page], 4), at(500));
        assert_eq!((counted(&watch), watch.open()), (Vec::new(), Some((vec![one.clone()], at(2_500)))));
        watch.look(&one, &look(&[Surface::Page], 4), at(2_499));
        assert!(watch.contradictions().is_empty());
        watch.look(&one, &look(&[Surface::Page], 4), at(2_500));
        assert_eq!((counted(&watch), watch.open()), (vec![(Surface::Page, 1)], None));
        let first = watch.contradictions()[&Surface::Page].first.clone().expect("an offender");
        assert!(first.starts_with("demo K-1: checkout: sold out; "), "{first}");
        // It stays one until they agree.
        watch.look(&one, &look(&[Surface::Page], 4), at(20_000));
        assert_eq!((counted(&watch), watch.suspects()), (vec![(Surface::Page, 1)], vec![one.clone()]));
        watch.look(&one, &look(&[], 4), at(35_000));
        assert_eq!((counted(&watch), watch.suspects()), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_newer_version_starts_the_clock_anew() {
        let (mut watch, one) = (Watch::default(), variant(1, "K-1"));
        watch.look(&one, &look(&[Surface::Search], 4), at(0));
        watch.look(&one, &look(&[Surface::Search], 5), at(2_100));
        assert_eq!((counted(&watch), watch.open().map(|(_, due)| due)), (Vec::new(), Some(at(4_100))));
        // Something was written while they were asked, too.
        let unsteady = Look { before: Versions { catalog: 1, stock: 4 }, ..look(&[Surface::Search], 5) };
        watch.look(&one, &unsteady, at(4_200));
        assert!(watch.contradictions().is_empty());
        watch.look(&one, &look(&[Surface::Search], 5), at(6_200));
        assert_eq!(counted(&watch), [(Surface::Search, 1)]);
    }

    #[test]
    fn each_surface_has_a_clock_of_its_own() {
        let (mut watch, one) = (Watch::default(), variant(1, "K-1"));
        watch.look(&one, &look(&[Surface::Stock], 4), at(0));
        watch.look(&one, &look(&[Surface::Search], 4), at(2_000));
        assert!(watch.contradictions().is_empty(), "no surface says otherwise for two seconds");
        watch.look(&one, &look(&[Surface::Stock, Surface::Search], 4), at(4_000));
        assert_eq!(counted(&watch), [(Surface::Search, 1)]);
    }

    #[test]
    fn the_first_by_its_text_is_named_and_no_more_are_watched_than_can_be() {
        let mut watch = Watch::default();
        for time in [at(0), GRACE] {
            for number in 0..200 {
                watch.look(&variant(number, &format!("K-{number:03}")), &look(&[Surface::Page], 4), time);
            }
        }
        let found = watch.contradictions().remove(&Surface::Page).expect("contradictions");
        assert_eq!(found.count, 100);
        assert!(found.first.is_some_and(|first| first.starts_with("demo K-000: ")));
    }
}
