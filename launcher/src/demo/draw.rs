//! Chance that comes out the same everywhere: ChaCha8 and our own way from its numbers to a choice,
//! so that no release of a library changes the bytes of a catalog.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Draws numbers that follow from a seed.
#[derive(Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The first draw of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// A number from 0 to below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let product = u128::from(self.0.next_u64()) * limit as u128;
        usize::try_from(product >> 64).unwrap_or_default()
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = usize::try_from(high - low + 1).unwrap_or_default();
        low + i64::try_from(self.below(span)).unwrap_or_default()
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of a list that is not empty.
    pub fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// Neighbours in a list: as many as drawn between `least` and `most`, as far as it has them.
    pub fn run<'a, T>(&mut self, list: &'a [T], least: usize, most: usize) -> &'a [T] {
        let most = most.min(list.len());
        let least = least.min(most);
        let length = least + self.below(most - least + 1);
        let start = self.below(list.len() - length + 1);
        &list[start..start + length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut draw = Draw::new(7);
        let drawn: Vec<_> = (0..6).map(|_| draw.below(1_000)).collect();
        let mut again = Draw::new(7);
        assert_eq!(drawn, (0..6).map(|_| again.below(1_000)).collect::<Vec<_>>());
        assert!(drawn.iter().any(|number| *number != drawn[0]));
        assert!((0..1_000).all(|_| (3..=5).contains(&draw.between(3, 5))));
        assert!((0..1_000).all(|_| (2..=3).contains(&draw.run(&[1, 2, 3, 4], 2, 3).len())));
    }
}
