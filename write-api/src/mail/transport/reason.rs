//! What may be logged of a server's answer.

/// The most characters of a reason.
const LONGEST: usize = 300;
/// A code of fewer characters is not told from other numbers.
const SHORTEST_CODE: usize = 4;

/// One line of what was said, without addresses, links, and codes that stand in the mail's text: servers like to repeat
/// what they refuse.
pub(super) fn sayable(said: &str, mail_text: &str) -> String {
    let words =
        said.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(|word| if is_private(word, mail_text) { "***" } else { word }).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

fn is_private(word: &str, mail_text: &str) -> bool {
    let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    let may_be_code = bare.chars().count() >= SHORTEST_CODE && bare.chars().any(|letter| letter.is_ascii_digit());
    word.contains('@') || word.contains("://") || (may_be_code && mail_text.contains(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_links_and_codes_are_taken_out_of_what_a_server_says() {
        let text = "Open https://shop.example/reset?t=a1b2c3 or enter 904417.";
        let said = "permanent error (550): 5.7.1 <ann@example.com>: spam,\r\nsee https://shop.example/reset?t=a1b2c3 \
                    (shop.example/reset?t=a1b2c3) and '904417'; ticket 77123";
        assert_eq!(sayable(said, text), "permanent error (550): 5.7.1 *** spam, see *** *** and *** ticket 77123");
    }

    #[test]
    fn a_reason_is_short() {
        assert_eq!(sayable(&"é ".repeat(9_000), "").chars().count(), LONGEST);
    }
}
