//! EANs and addresses of pictures, as they stand in cells: several in one, quoted, with spaces, or none at all.

use super::{Repair, Repairs};

/// Digits of the codes that souk takes.
const EAN_DIGITS: std::ops::RangeInclusive<usize> = 6..=18;
/// The longest address of a picture.
const LONGEST_ADDRESS: usize = 2_048;

/// The EAN/GTIN codes of some cells; what is none is left out.
pub(crate) fn eans(field: &str, cells: &[String], repairs: &mut Repairs) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for cell in cells {
        let parts: Vec<&str> =
            cell.split([',', ';', '|', '/', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect();
        let parts: Vec<&str> = parts.into_iter().flat_map(apart).collect();
        if parts.len() > 1 {
            repairs.note(Repair::List, field, cell, &parts.join(" "));
        }
        for part in parts {
            let code: String =
                part.chars().filter(|letter| !matches!(letter, ' ' | '-' | '\'' | '"' | '=' | '\u{a0}')).collect();
            if !EAN_DIGITS.contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
                repairs.note(Repair::Code, field, part, "");
            } else if !codes.contains(&code) {
                codes.push(code);
            }
        }
    }
    codes
}

/// `4006381333931 4006381333948` are two codes, `400 6381 333931` is one.
fn apart(part: &str) -> Vec<&str> {
    let pieces: Vec<&str> = part.split_whitespace().collect();
    if pieces.len() > 1 && pieces.iter().all(|piece| piece.len() >= 8) { pieces } else { vec![part] }
}

/// The addresses of pictures in some cells.
pub(crate) fn addresses(field: &str, cells: &[String], repairs: &mut Repairs) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for cell in cells {
        let parts = urls(cell);
        if parts.len() > 1 {
            repairs.note(Repair::List, field, cell, &parts.join(" "));
        }
        for part in parts {
            let address = followable(&part);
            let can_be_followed = ["https://", "http://", "/"].iter().any(|start| address.starts_with(start))
                && address.len() <= LONGEST_ADDRESS
                && !address.chars().any(char::is_control);
            if !can_be_followed {
                repairs.note(Repair::Address, field, &part, "");
                continue;
            }
            if address != part {
                repairs.note(Repair::Address, field, &part, &address);
            }
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    addresses
}

/// The address with its scheme as browsers write it, and nothing in it that ends an address.
fn followable(part: &str) -> String {
    let address = match (part.strip_prefix("//"), part.split_once("://")) {
        (Some(rest), _) => format!("https://{rest}"),
        (None, Some((scheme, rest))) => format!("{}://{rest}", scheme.to_ascii_lowercase()),
        (None, None) => part.to_owned(),
    };
    address.replace(char::is_whitespace, "%20")
}

/// A separator is one only where another address begins: addresses may hold commas themselves.
fn urls(cell: &str) -> Vec<String> {
    let is_separator = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '|');
    let begins = |rest: &str| {
        let head: String = rest.chars().take(8).collect::<String>().to_ascii_lowercase();
        head.starts_with("http://") || head.starts_with("https://") || head.starts_with("//")
    };
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, letter) in cell.char_indices() {
        let next = at + letter.len_utf8();
        if is_separator(letter) && begins(&cell[next..]) {
            parts.push(&cell[start..at]);
            start = next;
        }
    }
    parts.push(&cell[start..]);
    let clean = |part: &str| part.trim_matches(is_separator).to_owned();
    parts.into_iter().map(clean).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(cell: &str) -> Vec<String> {
        vec![cell.to_owned()]
    }

    #[test]
    fn several_codes_stand_in_one_cell_and_what_is_none_is_left_out() {
        for (cell, codes) in [
            ("4006381333931", vec!["4006381333931"]),
            ("'0001234567895", vec!["0001234567895"]),
            ("=\"0711719814153\"", vec!["0711719814153"]),
            ("4006381333931, 4006381333948;4006381333931", vec!["4006381333931", "4006381333948"]),
            ("4006381333931 4006381333948", vec!["4006381333931", "4006381333948"]),
            ("400 6381 333931", vec!["4006381333931"]),
            ("978-3-16-148410-0", vec!["9783161484100"]),
            ("n/a", vec![]),
            ("4.00638E+12", vec![]),
            ("0", vec![]),
        ] {
            assert_eq!(eans("ean", &cells(cell), &mut Repairs::default()), codes, "{cell}");
        }
    }

    #[test]
    fn several_addresses_stand_in_one_cell() {
        for (cell, urls) in [
            ("https://x/1.jpg, https://x/2.jpg", vec!["https://x/1.jpg", "https://x/2.jpg"]),
            ("https://x/a,b.jpg|http://x/2 3.jpg", vec!["https://x/a,b.jpg", "http://x/2%203.jpg"]),
            ("//cdn/x.jpg", vec!["https://cdn/x.jpg"]),
            ("HTTPS://x/1.jpg", vec!["https://x/1.jpg"]),
            ("/media/1.jpg", vec!["/media/1.jpg"]),
            ("1.jpg", vec![]),
        ] {
            assert_eq!(addresses("images", &cells(cell), &mut Repairs::default()), urls, "{cell}");
        }
    }
}
