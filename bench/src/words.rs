//! Words that nobody else uses: consonants only, so that no stemmer changes them and no analyzer takes
//! them apart, and far from each other, so that no tolerance for typing errors confuses them.

const LETTERS: &[u8; 16] = b"bcdfghjkmnpqrtvw";

/// A source of words; another one for each run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    run: u64,
}

impl Words {
    /// Words of this run and of no other.
    pub(crate) fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self { run: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX) }
    }

    /// The word of a number, twelve letters long.
    pub(crate) fn word(self, number: u64) -> String {
        let mut bits = mixed(self.run ^ mixed(number));
        let mut word = String::with_capacity(12);
        for _ in 0..12 {
            word.push(char::from(LETTERS[usize::from(bits.to_le_bytes()[0] & 15)]));
            bits >>= 4;
        }
        word
    }
}

/// `SplitMix64`'s finalizer: every bit of the input moves about half of the output's.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_word_comes_twice() {
        let words = Words { run: 1 };
        let all: HashSet<_> = (0..50_000).map(|number| words.word(number)).collect();
        assert_eq!(all.len(), 50_000);
        assert!(!all.contains(&Words { run: 2 }.word(0)));
    }
}
