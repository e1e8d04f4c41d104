//! Texts without HTML, and hashes of texts.

use html5ever::{
    LocalName,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};

/// What a reader sees of HTML: elements that stand in a line join the words around them, others separate them; scripts,
/// styles and comments are left out, entities are resolved and spaces folded.
#[must_use]
pub fn without_html(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return spaced(html);
    }
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // It would stop for a reader that runs scripts; this one doesn't.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    spaced(&tokenizer.sink.seen.take())
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Elements that stand in a line of text (HTML's phrasing content, with the former ones); all others break it.
const IN_LINE: [&str; 37] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "nobr", "output", "q", "rb", "ruby", "s", "samp", "small", "span", "strike", "strong",
    "sub", "sup", "time", "tt", "u", "var", "wbr",
];
/// Elements whose text nobody sees and that hold no others.
const RAW: [&str; 7] = ["script", "style", "iframe", "noembed", "noframes", "noscript", "title"];

/// Collects what is seen.
#[derive(Default)]
struct Reader {
    seen: RefCell<String>,
    /// The element whose text is left out, while it lasts.
    unseen: RefCell<Option<LocalName>>,
    /// Templates that are open.
    templates: Cell<usize>,
}

impl Reader {
    fn open(&self, name: &LocalName) -> TokenSinkResult<()> {
        if !RAW.contains(&&**name) {
            return if **name == *"textarea" {
                TokenSinkResult::RawData(RawKind::Rcdata)
            } else {
                TokenSinkResult::Continue
            };
        }
        *self.unseen.borrow_mut() = Some(name.clone());
        TokenSinkResult::RawData(match &**name {
            "script" => RawKind::ScriptData,
            "title" => RawKind::Rcdata,
            _ => RawKind::Rawtext,
        })
    }

    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        if !IN_LINE.contains(&&*tag.name) {
            self.seen.borrow_mut().push(' ');
        }
        let is_template = *tag.name == *"template";
        match tag.kind {
            TagKind::StartTag => {
                self.templates.set(self.templates.get() + usize::from(is_template));
                self.open(&tag.name)
            }
            TagKind::EndTag => {
                self.templates.set(self.templates.get().saturating_sub(usize::from(is_template)));
                let mut unseen = self.unseen.borrow_mut();
                if unseen.as_ref() == Some(&tag.name) {
                    *unseen = None;
                }
                TokenSinkResult::Continue
            }
        }
    }
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(text) if self.unseen.borrow().is_none() && self.templates.get() == 0 => {
                self.seen.borrow_mut().push_str(&text);
            }
            Token::CharacterTokens(_)
            | Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

/// SHA-256 of a text in hexadecimal.
#[must_use]
pub fn hash(text: &str) -> String {
    sha256(text.as_bytes())
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_go_and_comparisons_stay() {
        assert_eq!(without_html("<p>Weighs &lt; 5 kg</p><br/>a < b &amp; c"), "Weighs < 5 kg a < b & c");
    }

    #[test]
    fn a_reader_sees_words_as_a_browser_shows_them() {
        for (html, seen) in [
            ("<p>Caf&eacute; d&#233;cor &mdash; 30&deg; &#x41;</p>", "Café décor — 30° A"),
            ("<style>.h{color:red}</style><script>var a = '<p>';</script><p>Walnut</p>", "Walnut"),
            ("<SCRIPT>if (a < b) {}</SCRIPT>oak<noscript>no</noscript><template><b>x</b></template>", "oak"),
            ("<p>Un<b>believ</b>able H<sub>2</sub>O</p>", "Unbelievable H2O"),
            ("<ul><li>oak</li><li>elm</li></ul><td>a<td>b<br>c<hr/>d", "oak elm a b c d"),
            ("<p title=\"a > b\">teak</p><!-- oak > elm --><!DOCTYPE x>", "teak"),
            ("a<!-- > -->b &amp;lt; AT&T &unknown; 5 <6", "ab &lt; AT&T &unknown; 5 <6"),
            ("<textarea><b>kept</b></textarea>&nbsp;x", "<b>kept</b> x"),
        ] {
            assert_eq!(without_html(html), seen, "{html}");
        }
    }

    proptest! {
        #[test]
        fn any_html_is_read(html in "\\PC{0,200}") {
            let _ = without_html(&html);
        }

        #[test]
        fn escaped_text_is_seen_as_it_was(text in "(\\PC|<b>|&amp;|\"|>){0,40}") {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
            prop_assert_eq!(without_html(&escaped), spaced(&text));
        }
    }
}
