//! Names that have to be unique or follow a rule: slugs, part numbers, SKUs and EANs.

use super::draw::Draw;
use std::collections::HashSet;

/// Names given away so far.
#[derive(Default)]
pub(super) struct Taken {
    titles: HashSet<String>,
    slugs: HashSet<String>,
    part_numbers: HashSet<String>,
    eans: u64,
}

impl Taken {
    /// A part number such as `HEFR-4127`: the beginnings of brand and kind, and a number.
    pub(super) fn part_number(&mut self, draw: &mut Draw, brand: &str, noun: &str) -> String {
        let prefix = format!("{}{}", initials(brand), initials(noun));
        let mut span = 9_999;
        loop {
            let number = format!("{prefix}-{:04}", draw.between(1_000, span));
            if self.part_numbers.insert(number.clone()) {
                return number;
            }
            // A crowded prefix gets longer numbers rather than more attempts.
            span += 500;
        }
    }

    pub(super) fn has_title(&self, title: &str) -> bool {
        self.titles.contains(title)
    }

    /// The title and a slug made of it; a title that is taken gets the part number added.
    pub(super) fn title(&mut self, title: String, part_number: &str) -> (String, String) {
        let title = if self.titles.contains(&title) { format!("{title} {part_number}") } else { title };
        self.titles.insert(title.clone());
        let mut slug = slug(&title);
        if self.slugs.contains(&slug) {
            slug = format!("{slug}-{}", part_number.to_lowercase());
        }
        self.slugs.insert(slug.clone());
        (title, slug)
    }

    /// The next EAN-13.
    pub(super) fn ean(&mut self) -> String {
        self.eans += 1;
        let digits = format!("20{:010}", self.eans);
        format!("{digits}{}", check_digit(&digits))
    }
}

/// The check digit of a GTIN, by the GS1 General Specifications, section 7.9: weights 3 and 1 from the
/// right, and what is missing to the next ten.
pub(super) fn check_digit(digits: &str) -> u32 {
    let weighted = digits.chars().rev().filter_map(|digit| digit.to_digit(10)).enumerate();
    let sum: u32 = weighted.map(|(place, digit)| if place % 2 == 0 { digit * 3 } else { digit }).sum();
    (10 - sum % 10) % 10
}

/// A SKU out of the part number and the option values: `HEFR-4127-RED-M`.
pub(super) fn sku<'a>(part_number: &str, values: impl Iterator<Item = &'a str>) -> String {
    let mut sku = part_number.to_owned();
    for value in values {
        sku.push('-');
        sku.extend(value.chars().filter(char::is_ascii_alphanumeric).take(6).map(|letter| letter.to_ascii_uppercase()));
    }
    sku
}

fn initials(name: &str) -> String {
    let mut words =
        name.split_whitespace().filter(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    let first = words.next().unwrap_or("X");
    let letters: String = match words.next() {
        Some(second) => first.chars().take(1).chain(second.chars().take(1)).collect(),
        None => first.chars().take(2).collect(),
    };
    letters.to_ascii_uppercase()
}

fn slug(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_known_codes() {
        for code in ["4006381333931", "0095205603217", "5901234123457"] {
            let (digits, check) = code.split_at(12);
            assert_eq!(check_digit(digits).to_string(), check, "{code}");
        }
    }

    #[test]
    fn names_are_made_of_what_they_name() {
        assert_eq!(initials("Potter's Yard"), "PY");
        assert_eq!(initials("Frying Pan"), "FP");
        assert_eq!(initials("Laptop"), "LA");
        assert_eq!(sku("HEFR-4127", ["256 GB", "Midnight Blue"].into_iter()), "HEFR-4127-256GB-MIDNIG");
        assert_eq!(slug("Norvane Plume 15.6\" Laptop"), "norvane-plume-15-6-laptop");
    }
}
