//! The rules of reports, one sentence each.

use crate::domain::{Name, validation::Findings};
use schemas::{
    Timestamp,
    events::insights::{ClientActed, ClientSearched, split_arm},
};

/// The most characters of an id or a name that a client gives.
pub const MAX_ID: usize = 100;
/// The most characters of a query, as the search takes them.
pub const MAX_QUERY: usize = 512;
/// The most hits of a search that are reported.
pub const MAX_HITS: usize = 100;
/// The most bytes of a search's attributes.
pub const MAX_ATTRIBUTES: usize = 4_096;
/// The most characters of a message.
pub const MAX_MESSAGE: usize = 1_000;
/// The last place of a hit that is counted.
pub const MAX_ORDINAL: u32 = 100_000;

/// How far a client's clock may be ahead, in seconds.
const AHEAD: i64 = 24 * 60 * 60;
/// How old a report may be, in seconds.
const BEHIND: i64 = 90 * 24 * 60 * 60;

/// A report is at most 90 days old, and at most a day ahead of its time.
pub fn a_report_is_of_these_days(findings: &mut Findings, timestamp: Timestamp, now: Timestamp) {
    if !(-BEHIND..=AHEAD).contains(&(timestamp - now).num_seconds()) {
        findings.add("/timestamp", "a report is at most 90 days old, and at most a day in the future");
    }
}

/// What a search says is bounded.
pub fn a_search_is_bounded(findings: &mut Findings, search: &ClientSearched) {
    findings.line(|| "/client_id".to_owned(), &search.client_id, MAX_ID);
    findings.line(|| "/query_id".to_owned(), &search.query_id, MAX_ID);
    if let Some(application) = &search.application {
        findings.line(|| "/application".to_owned(), application, MAX_ID);
    }
    findings.prose(|| "/user_query".to_owned(), &search.user_query, MAX_QUERY);
    let bytes = serde_json::to_string(&search.query_attributes).map_or(0, |text| text.len());
    if bytes > MAX_ATTRIBUTES {
        findings.add("/query_attributes", format!("at most {MAX_ATTRIBUTES} bytes of JSON are allowed"));
    }
    findings.count("/query_response_hit_ids", search.query_response_hit_ids.as_ref().map_or(0, Vec::len), MAX_HITS);
    if let Some(arm) = &search.arm {
        let names = split_arm(arm).map(|(experiment, arm)| (Name::parse(experiment), Name::parse(arm)));
        if !matches!(names, Some((Ok(_), Ok(_)))) {
            findings.add("/arm", "an experiment and one of its arms are expected, as in fresher-first/fresher");
        }
    }
}

/// What an action says is bounded, and what is counted by product names one.
pub fn an_action_is_bounded(findings: &mut Findings, action: &ClientActed) {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let name = &action.action_name;
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(letters) || name.len() > MAX_ID
    {
        findings.add("/action_name", format!("a lower_snake word of at most {MAX_ID} characters is expected"));
    }
    findings.line(|| "/client_id".to_owned(), &action.client_id, MAX_ID);
    for (pointer, id) in
        [("/query_id", &action.query_id), ("/session_id", &action.session_id), ("/user_id", &action.user_id)]
    {
        if let Some(id) = id {
            findings.line(|| pointer.to_owned(), id, MAX_ID);
        }
    }
    if let Some(message) = &action.message {
        findings.prose(|| "/message".to_owned(), message, MAX_MESSAGE);
    }
    let needs_product = matches!(name.as_str(), "impression" | "click" | "add_to_cart" | "purchase");
    match &action.event_attributes.object {
        None if needs_product => findings.add("/event_attributes/object", format!("a {name} is of a product")),
        Some(object) if object.object_id_field != "product_id" => {
            findings.add("/event_attributes/object/object_id_field", "`product_id` is expected");
        }
        _ => {}
    }
    if action.event_attributes.position.as_ref().is_some_and(|place| !(1..=MAX_ORDINAL).contains(&place.ordinal)) {
        findings.add("/event_attributes/position/ordinal", format!("1 to {MAX_ORDINAL} is expected"));
    }
}
