//! One form for texts that look alike: people and programs write one and the same word in several ways of Unicode.
//!
//! Words are read in Unicode's compatibility composition (NFKC), without signs that nobody sees.

use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use icu_properties::{CodePointMapData, props::GeneralCategory};
use std::borrow::Cow;

const COMPOSED: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
const COMPATIBLE: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();
const CATEGORIES: icu_properties::CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::new();

/// A text in Unicode's composed form (NFC), in which texts are kept and shown.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    COMPOSED.normalize(text)
}

/// A text as words are read in it, with the place of each piece in the text that was written.
#[derive(Debug)]
pub struct Form<'a> {
    text: Cow<'a, str>,
    /// By their place in the form; none if it is the text that was written.
    pieces: Vec<Piece>,
}

/// A piece of a form and what was written for it, in bytes.
#[derive(Debug, Clone, Copy)]
struct Piece {
    at: usize,
    from: usize,
    to: usize,
    /// Whether it is what was written.
    same: bool,
}

impl<'a> Form<'a> {
    /// The form of a text.
    #[must_use]
    pub fn of(written: &'a str) -> Self {
        let is_form = written.is_ascii() || (!written.contains(is_told_apart) && COMPATIBLE.is_normalized(written));
        if is_form {
            return Self { text: Cow::Borrowed(written), pieces: Vec::new() };
        }
        let mut form = Self { text: Cow::Owned(String::with_capacity(written.len())), pieces: Vec::new() };
        let mut from = 0;
        while let Some(first) = written[from..].chars().next() {
            let rest = &written[from + first.len_utf8()..];
            let length = rest.find(|next| !joins(next)).unwrap_or(rest.len());
            let to = from + first.len_utf8() + length;
            form.push(&written[from..to], from);
            from = to;
        }
        form
    }

    /// One sign with those that join it.
    fn push(&mut self, cluster: &str, from: usize) {
        let kept: Cow<'_, str> = if cluster.contains(is_told_apart) {
            Cow::Owned(cluster.chars().filter_map(instead).collect())
        } else {
            Cow::Borrowed(cluster)
        };
        // What joins a sign that stays is composed all the same.
        let form = if kept.contains(stays) { COMPOSED.normalize(&kept) } else { COMPATIBLE.normalize(&kept) };
        if form.is_empty() {
            return;
        }
        let (at, same) = (self.text.len(), form == cluster);
        let text = self.text.to_mut();
        text.push_str(&form);
        match self.pieces.last_mut() {
            Some(last) if same && last.same && last.to == from => last.to += cluster.len(),
            _ => self.pieces.push(Piece { at, from, to: from + cluster.len(), same }),
        }
    }

    /// The form.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The form alone.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, str> {
        self.text
    }

    /// Where in the text that was written a stretch of the form stands, in bytes.
    #[must_use]
    pub fn written(&self, from: usize, to: usize) -> (usize, usize) {
        let piece = |place: usize| {
            let after = self.pieces.partition_point(|piece| piece.at <= place);
            after.checked_sub(1).and_then(|index| self.pieces.get(index))
        };
        let start =
            piece(from).map_or(from, |piece| if piece.same { piece.from + from - piece.at } else { piece.from });
        let end = piece(to.saturating_sub(1))
            .map_or(to, |piece| if piece.same { piece.from + to - piece.at } else { piece.to });
        (start, end.max(start))
    }
}

/// Whether a sign belongs to the one before it: accents apart from their letter, vowels of Hangul syllables and of
/// Kirat Rai, what is not seen.
fn joins(sign: char) -> bool {
    is_mark(sign)
        || is_unseen(sign)
        || matches!(sign, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}' | '\u{ff9e}' | '\u{ff9f}' | '\u{16d67}')
}

/// Whether a sign is none of its own but changes the letter before it.
#[must_use]
pub fn is_mark(sign: char) -> bool {
    !sign.is_ascii()
        && matches!(
            CATEGORIES.get(sign),
            GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark | GeneralCategory::EnclosingMark
        )
}

/// Signs that nobody sees: soft hyphens, spaces without width, marks of direction and of presentation.
const fn is_unseen(sign: char) -> bool {
    matches!(
        sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// Signs whose compatibility form would be read as something else: fractions behind a number, the sign of a trade
/// mark behind a name, and that of inches.
const fn stays(sign: char) -> bool {
    matches!(sign, '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{215e}' | '\u{2120}' | '\u{2122}' | '\u{2033}' | '\u{2036}')
}

/// Whether a sign has another form than the one Unicode gives it.
const fn is_told_apart(sign: char) -> bool {
    is_unseen(sign) || matches!(sign, '\u{b4}' | '\u{2bc}' | '\u{2010}' | '\u{2011}' | '\u{2212}')
}

/// What stands for a sign; nothing for one that nobody sees.
const fn instead(sign: char) -> Option<char> {
    match sign {
        '\u{b4}' | '\u{2bc}' => Some('\''),
        '\u{2010}' | '\u{2011}' | '\u{2212}' => Some('-'),
        _ if is_unseen(sign) => None,
        _ => Some(sign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form(text: &str) -> String {
        Form::of(text).into_text().into_owned()
    }

    #[test]
    fn what_looks_alike_is_the_same() {
        for (one, other) in [
            ("Cre\u{300}me", "Crème"),
            ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}", "한국"),
            ("100 \u{b5}F", "100 \u{3bc}F"),
            ("Ku\u{308}hl\u{ad}schrank", "Kühlschrank"),
            ("Blue\u{200b}tooth", "Bluetooth"),
            ("\u{ff37}\u{ff29}\u{ff0d}\u{ff26}\u{ff29}", "WI-FI"),
            ("o\u{fb03}ce", "office"),
            ("Wi\u{2011}Fi", "Wi-Fi"),
            ("ｶﾞ", "ガ"),
            ("men\u{b4}s", "men's"),
        ] {
            assert_eq!(form(one), form(other), "{one}");
        }
        for kept in ["3½", "Nylon™", "15.6″", "plain"] {
            assert_eq!(form(kept), kept);
        }
    }

    /// Of every sign of Unicode: a sign that a later one would be composed with must not be cut from it.
    #[test]
    fn every_sign_taken_apart_has_the_form_of_the_whole() {
        let decomposed = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd();
        for sign in char::MIN..=char::MAX {
            let whole = sign.to_string();
            let apart = decomposed.normalize(&whole);
            assert_eq!(form(&apart), form(&composed(&whole)), "U+{:04X}", u32::from(sign));
        }
    }

    #[test]
    fn what_joins_a_sign_that_stays_is_composed() {
        assert_eq!(form("¼\u{bc6}\u{bbe}"), "¼\u{bca}");
        assert_eq!(form("¼\u{bca}"), "¼\u{bca}");
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form_and_knows_what_was_written(text in "(\\PC|[a-z\u{300}-\u{310}\u{ad}\u{1100}-\u{11ff}]){0,30}", cut in 0.0..1.0_f64) {
            let whole = Form::of(&text);
            let places: Vec<usize> = whole.text().char_indices().map(|(at, _)| at).chain([whole.text().len()]).collect();
            let from = places[((places.len() - 1) as f64 * cut) as usize];
            for to in places.into_iter().filter(|to| *to >= from) {
                let (start, end) = whole.written(from, to);
                prop_assert!(text.get(start..end).is_some(), "{start}..{end}");
            }
        }

        #[test]
        fn composed_and_decomposed_texts_have_one_form(text in "\\PC{0,30}") {
            let apart = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(&text).into_owned();
            prop_assert_eq!(form(&apart), form(&composed(&text)));
        }
    }
}
