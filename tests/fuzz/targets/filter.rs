//! The filter language: any text is read or refused at a place inside it, and what is read is written back so that
//! it means the same; any JSON is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use schemas::filter::{from_json, parse};

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(filter) => {
            let written = filter.to_string();
            // The written form has all its parentheses, so it may be too long or too deep where the typed one was not.
            if let Ok(again) = parse(&written) {
                assert_eq!(again.to_string(), written);
            }
        }
        Err(error) => assert!(error.position <= text.chars().count()),
    }
    if let Ok(json) = serde_json::from_str(text) {
        let _ = from_json(&json);
    }
});
