//! What a shopper typed: any text is taken apart and cut into terms, and every term stands where it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use search::{analyzer, highlight::Marker, understand};

fuzz_target!(|text: &str| {
    let parts = understand::parts(text, true);
    assert!(parts.words.len() <= text.len() + 1);
    for mut analyzer in [analyzer::english(), analyzer::english_query(), analyzer::plain()] {
        let mut stream = analyzer.token_stream(text);
        while stream.advance() {
            let token = stream.token();
            assert!(text.get(token.offset_from..token.offset_to).is_some());
        }
    }
    let terms = analyzer::terms(&mut analyzer::english_query(), text);
    let html = Marker::reading(analyzer::english(), &terms, true).text(text);
    let without = html.replace("<mark>", "").replace("</mark>", "");
    assert!(!without.contains(['<', '>', '"', '\'']));
});
