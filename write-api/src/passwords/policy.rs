//! Which passwords people may choose. What counts is how soon one is guessed, not which characters it has (NIST
//! SP 800-63B, 3.1.1.2).

use zxcvbn::{
    Score,
    feedback::{
        Feedback,
        Warning::{self, *},
    },
    zxcvbn,
};

/// Fewest characters of a password.
const LEAST_CHARS: usize = 8;
/// A password is no longer than this, so that nobody makes hashing dear.
const MOST_BYTES: usize = 256;
/// Characters that are judged. The time grows with their number's square, and with the letters that signs may stand for.
const JUDGED_CHARS: usize = 40;
/// Fewest characters of a piece of personal data that is looked for; fewer than these add nothing to one.
const LEAST_PIECE_CHARS: usize = 4;

/// Why a password isn't good enough, as a sentence for whoever chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// It has fewer than 8 characters.
    #[error("A password needs at least {LEAST_CHARS} characters.")]
    TooShort,
    /// It has more than 256 bytes.
    #[error("A password can't be longer than {MOST_BYTES} bytes.")]
    TooLong,
    /// It is, but for little, one that many people have.
    #[error("Many people have this password, or nearly this one, so it is among the first that are tried.")]
    Common,
    /// It is, but for little, what is known of the person.
    #[error("This is your name or address, or nearly so. Choose something that nobody connects with you.")]
    Personal,
    /// It follows a pattern.
    #[error("{0} Three or four words that have nothing to do with each other are hard to guess.")]
    Guessable(&'static str),
}

/// Checks a password that a person chooses, of whom this is known: names, e-mail address, name of the shop. The first 40
/// characters are judged, which takes up to a fifth of a second for what was made to take long. Words of other languages
/// than English are not known.
///
/// # Errors
/// [`Weak`]
pub fn check(password: &str, personal: &[&str]) -> Result<(), Weak> {
    if password.chars().count() < LEAST_CHARS {
        return Err(Weak::TooShort);
    }
    if password.len() > MOST_BYTES {
        return Err(Weak::TooLong);
    }
    if personal.iter().any(|known| is_little_more_than(password, known)) {
        return Err(Weak::Personal);
    }
    let pieces = personal.iter().flat_map(|known| known.split(|at: char| !at.is_alphanumeric()));
    let pieces = pieces.filter(|piece| piece.chars().count() >= LEAST_PIECE_CHARS);
    let known: Vec<&str> = personal.iter().copied().chain(pieces).collect();
    let start: String = password.chars().take(JUDGED_CHARS).collect();
    let judged = zxcvbn(&start, &known);
    let warning = judged.feedback().and_then(Feedback::warning);
    if let Some(
        ThisIsATop10Password | ThisIsATop100Password | ThisIsACommonPassword | ThisIsSimilarToACommonlyUsedPassword,
    ) = warning
    {
        return Err(Weak::Common);
    }
    if judged.score() >= Score::Two {
        return Ok(());
    }
    let is_good_of_others = || zxcvbn(&start, &[]).score() > judged.score();
    Err(if warning.is_none() && is_good_of_others() { Weak::Personal } else { Weak::Guessable(because(warning)) })
}

/// Whether a password is what is known, but for a few characters.
fn is_little_more_than(password: &str, known: &str) -> bool {
    let (password, known) = (password.to_lowercase(), known.trim().to_lowercase());
    known.chars().count() >= LEAST_PIECE_CHARS
        && password.contains(&known)
        && password.replace(&known, "").chars().count() < LEAST_PIECE_CHARS
}

/// What is wrong with a password that follows a pattern.
fn because(warning: Option<Warning>) -> &'static str {
    match warning {
        Some(StraightRowsOfKeysAreEasyToGuess | ShortKeyboardPatternsAreEasyToGuess) => {
            "Keys that lie side by side are guessed soon."
        }
        Some(RepeatsLikeAaaAreEasyToGuess | RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess) => {
            "What is repeated adds little."
        }
        Some(SequencesLikeAbcAreEasyToGuess) => "Letters or digits in their order are guessed soon.",
        Some(RecentYearsAreEasyToGuess | DatesAreOftenEasyToGuess) => "Dates and years are guessed soon.",
        Some(AWordByItselfIsEasyToGuess) => "A single word is guessed soon.",
        Some(NamesAndSurnamesByThemselvesAreEasyToGuess | CommonNamesAndSurnamesAreEasyToGuess) => {
            "Names are guessed soon."
        }
        _ => "This password is guessed soon.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PERSONAL: [&str; 3] = ["anna.kowalska@example.com", "Anna Kowalska", "Souk"];

    fn checked(password: &str) -> Result<(), Weak> {
        check(password, &PERSONAL)
    }

    #[test]
    fn what_many_people_have_is_refused() {
        for common in
            ["password", "Password1", "12345678", "iloveyou", "letmein1", "qwertyuiop", "P@ssw0rd", "Summer2026!"]
        {
            assert_eq!(checked(common), Err(Weak::Common), "{common}");
        }
    }

    #[test]
    fn what_is_known_of_the_person_is_refused() {
        for personal in
            ["anna.kowalska@example.com", "Anna.Kowalska@Example.com ", "kowalska1", "AnnaKowalska", "kowalska"]
        {
            assert_eq!(checked(personal), Err(Weak::Personal), "{personal}");
        }
        let long = format!("{}@example.com", "x1y2z".repeat(30));
        assert_eq!(check(&long, &[&long]), Err(Weak::Personal));
        assert_eq!(check(&format!("{long}1!"), &[&long]), Err(Weak::Personal));
        assert_eq!(check("kowalska-lampe-42", &PERSONAL), Ok(()), "a piece among others");
    }

    #[test]
    fn what_follows_a_pattern_is_refused() {
        for pattern in ["aaaaaaaaaaaa", "abcdefgh", "abcabcabc", "19841984", "20.04.1984", "geological"] {
            assert!(matches!(checked(pattern), Err(Weak::Guessable(_))), "{pattern}");
        }
    }

    #[test]
    fn a_length_that_is_out_of_bounds_is_refused() {
        assert_eq!(checked("vX9-lam"), Err(Weak::TooShort));
        assert_eq!(checked("żółćżółć"), checked("żółćżółć"), "characters are counted, not bytes");
        assert_eq!(checked(&"vX9-lampe-42 ".repeat(20)), Err(Weak::TooLong));
        assert_eq!(checked(""), Err(Weak::TooShort));
    }

    #[test]
    fn what_is_hard_to_guess_is_taken() {
        for good in
            ["correct horse battery", "vX9-lampe-42", "kawiarnia pod topolą", "正しい馬の電池ホチキス", "rT7kqZ2m"]
        {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn every_reason_is_a_sentence() {
        for weak in [Weak::TooShort, Weak::TooLong, Weak::Common, Weak::Personal, Weak::Guessable(because(None))] {
            assert!(weak.to_string().ends_with('.') && weak.to_string().len() < 160, "{weak}");
        }
    }

    #[test]
    fn no_password_takes_long_to_judge() {
        for piece in ["4@8({[<369!1|7$+5%20", "a", "ab", "1", "p4ssw0rd", "qwerty", "19.1.84", "é", "aA4@"] {
            let password: String = piece.chars().cycle().take(100).collect();
            let start = std::time::Instant::now();
            let _ = checked(&password);
            assert!(start.elapsed().as_secs() < 5, "{piece}");
        }
    }

    proptest! {
        #[test]
        fn any_password_is_judged(password in "\\PC{0,120}", personal in "\\PC{0,40}") {
            let _ = check(&password, &[&personal]);
        }
    }
}
