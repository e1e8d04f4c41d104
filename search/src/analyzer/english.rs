//! English words without the ending of their plural: two forms of one word have one term.
//!
//! The base is the S stemmer (Harman: "How effective is suffixing?", 1991). Endings that several singulars share lead to
//! one term for all of them: `cookie` and `cookies` are `cooky`, `bus` and `buses` are `buse`. What counts is that forms
//! of one word meet, not that the term is a word.

/// English plurals that no ending tells, and the singular.
const IRREGULAR: [(&str, &str); 34] = [
    ("mice", "mouse"),
    ("men", "man"),
    ("women", "woman"),
    ("children", "child"),
    ("people", "person"),
    ("feet", "foot"),
    ("teeth", "tooth"),
    ("geese", "goose"),
    ("oxen", "ox"),
    ("lice", "louse"),
    ("dice", "die"),
    ("lives", "life"),
    ("elves", "elf"),
    ("wives", "wife"),
    ("hooves", "hoof"),
    ("quizzes", "quiz"),
    ("matrices", "matrix"),
    ("indices", "index"),
    ("vertices", "vertex"),
    ("appendices", "appendix"),
    ("analyses", "analysis"),
    ("crises", "crisis"),
    ("oases", "oasis"),
    ("diagnoses", "diagnosis"),
    ("cacti", "cactus"),
    ("fungi", "fungus"),
    ("radii", "radius"),
    ("styli", "stylus"),
    ("nuclei", "nucleus"),
    ("stimuli", "stimulus"),
    ("criteria", "criterion"),
    ("aquaria", "aquarium"),
    ("tvs", "tv"),
    ("cds", "cd"),
];

/// Endings of plurals of words in `f` and `fe`, and of their singulars.
const IN_F: [(&str, &str); 14] = [
    ("shelves", "shelf"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("loaves", "loaf"),
    ("halves", "half"),
    ("calves", "calf"),
    ("selves", "self"),
    ("wolves", "wolf"),
    ("thieves", "thief"),
    ("scarves", "scarf"),
    ("dwarves", "dwarf"),
    ("wharves", "wharf"),
    ("kerchieves", "kerchief"),
    ("housewives", "housewife"),
];

/// Singulars in `s` that would lose it.
const IN_S: [&str; 12] = [
    "lens",
    "gas",
    "biogas",
    "canvas",
    "atlas",
    "bias",
    "alias",
    "pancreas",
    "christmas",
    "pampas",
    "cosmos",
    "thermos",
];
/// Singulars in `is`; most words in `is` are plurals of words in `i`: `bikinis`, `taxis`.
const IN_IS: [&str; 14] = [
    "iris",
    "axis",
    "praxis",
    "trellis",
    "pelvis",
    "mantis",
    "ibis",
    "chassis",
    "tennis",
    "cannabis",
    "clematis",
    "amaryllis",
    "debris",
    "this",
];
/// Plurals in `us` of words in `u`; most words in `us` are singulars.
const IN_U: [&str; 11] =
    ["menus", "gurus", "cpus", "gpus", "apus", "skus", "emus", "tutus", "tofus", "haikus", "bayous"];
/// Endings of plurals of words in `oe`; most plurals in `oes` are those of words in `o`.
const IN_OE: [&str; 6] = ["shoes", "canoes", "oboes", "aloes", "tiptoes", "mistletoes"];

/// Takes the ending of a plural off a word in small letters.
pub(super) fn singular(word: &mut String) {
    if !word.ends_with(|letter: char| letter.is_ascii_lowercase()) {
        return;
    }
    if !irregular(word) {
        without_s(word);
        // `mens` is how people write `men's`.
        irregular(word);
    }
    one_ending(word);
}

/// Whether a word in small letters has the form of a plural.
pub(super) fn is_plural(word: &str) -> bool {
    let regular = word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !keeps_s(word);
    regular || IRREGULAR.iter().any(|(many, _)| *many == word)
}

fn irregular(word: &mut String) -> bool {
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| many == word) {
        (*one).clone_into(word);
        return true;
    }
    if let Some((many, one)) = IN_F.iter().find(|(many, _)| word.ends_with(many)) {
        replace(word, many.len(), one);
        return true;
    }
    // `firemen`, but not `ramen` and `lumen`.
    let men = word.strip_suffix("men").filter(|stem| stem.len() > 2 && !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    let fire = word.ends_with("emen") && word.len() > 6;
    if men.is_some() || word.ends_with("women") || fire {
        replace(word, 3, "man");
        return true;
    }
    false
}

/// Without the `s` of a plural, and the `e` that goes with it.
fn without_s(word: &mut String) {
    let letters = word.len();
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    if letters <= 3 || !ends(&["s"]) || ends(&["ss"]) || keeps_s(word) {
        return;
    }
    let (cut, new) = if letters > 4 && ends(&["ies"]) {
        (3, "y")
    } else if letters > 4 && ends(&["sses", "xes", "ches", "shes", "zzes", "tzes"]) {
        // `glasses`, `boxes`; but `cases` and `sizes` only lose their s.
        (2, "")
    } else if letters > 5 && ends(&["oes"]) && !ends(&IN_OE) {
        (2, "")
    } else {
        (1, "")
    };
    replace(word, cut, new);
}

/// Whether the `s` belongs to a singular.
fn keeps_s(word: &str) -> bool {
    let is_one = word.ends_with("is")
        && (IN_IS.contains(&word) || ["sis", "itis", "polis"].iter().any(|ending| word.ends_with(ending)));
    (word.ends_with("us") && !IN_U.contains(&word)) || is_one || IN_S.contains(&word)
}

/// One ending for singulars whose plurals look alike.
fn one_ending(word: &mut String) {
    let letters = word.len();
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    let short = word == "gas" || word == "bus";
    if letters > 3 && ends(&["ie"]) {
        replace(word, 2, "y");
    } else if letters > 4 && ends(&["che", "she", "sse", "xe"]) {
        replace(word, 1, "");
    } else if (letters > 3 || short) && ends(&["s"]) && !ends(&["ss"]) && keeps_s(word) {
        word.push('e');
    }
}

fn replace(word: &mut String, letters: usize, new: &str) {
    word.truncate(word.len() - letters);
    word.push_str(new);
}

#[cfg(test)]
mod tests {
    use crate::analyzer::{english, english_query, terms};

    fn query(word: &str) -> Vec<String> {
        terms(&mut english_query(), word)
    }

    #[test]
    fn forms_of_one_word_meet() {
        for forms in [
            "hoodie hoodies",
            "cookie cookies",
            "movie movies",
            "brownie brownies",
            "zombie zombies",
            "calorie calories",
            "tie ties",
            "pie pies",
            "battery batteries",
            "lady ladies lady's ladies'",
            "toy toys",
            "key keys",
            "lens lenses",
            "gas gases",
            "bus buses",
            "canvas canvases",
            "iris irises",
            "virus viruses",
            "case cases",
            "house houses",
            "vase vases",
            "nose noses",
            "glass glasses",
            "dress dresses",
            "mousse mousses",
            "box boxes",
            "watch watches",
            "brush brushes",
            "headache headaches",
            "quiche quiches",
            "axe axes",
            "quiz quizzes",
            "size sizes",
            "prize prizes",
            "scarf scarves scarfs",
            "knife knives",
            "bookshelf bookshelves",
            "wolf wolves",
            "leaf leaves",
            "loaf loaves",
            "thief thieves",
            "half halves",
            "wife wives",
            "glove gloves",
            "valve valves",
            "olive olives",
            "potato potatoes",
            "tomato tomatoes",
            "hero heroes",
            "photo photos",
            "mango mangoes mangos",
            "shoe shoes",
            "canoe canoes",
            "toe toes",
            "horseshoe horseshoes",
            "bikini bikinis",
            "taxi taxis",
            "ski skis",
            "menu menus",
            "gpu gpus",
            "tv tvs",
            "bag bags bag's",
            "bee bees",
            "cactus cacti cactuses",
            "matrix matrices",
            "mouse mice",
            "tooth teeth",
            "child children children's childrens",
            "man men men's mens MEN'S",
            "woman women women's womens",
            "fireman firemen",
            "kid kids kid's kids'",
            "person people",
            "levi's levis",
            "basis",
            "series",
            "jeans",
            "status statuses",
            "bonus bonuses",
            "class classes",
        ] {
            let mut all: Vec<_> = forms.split(' ').map(query).collect();
            assert!(all.iter().all(|terms| terms.len() == 1), "{forms}: {all:?}");
            all.dedup();
            assert_eq!(all.len(), 1, "{forms}: {all:?}");
        }
    }

    #[test]
    fn words_that_are_none_stay_apart() {
        for (one, other) in [
            ("glass", "gla"),
            ("ramen", "raman"),
            ("lumen", "luman"),
            ("olive", "olf"),
            ("us", "use"),
            ("bass", "base"),
            ("gaming", "game"),
            ("printer", "printing"),
        ] {
            assert_ne!(query(one), query(other), "{one} {other}");
        }
        assert_eq!(terms(&mut english(), "case mouse house"), ["case", "mouse", "house"]);
    }

    #[test]
    fn a_genitive_is_no_word_however_its_apostrophe_is_written() {
        for written in ["men's", "men’s", "men‘s", "men´s", "men`s", "MENʼS"] {
            assert_eq!(query(&format!("{written} shoes")), ["man", "shoe"], "{written}");
        }
    }
}
