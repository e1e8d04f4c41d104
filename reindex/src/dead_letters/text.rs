//! Dead letters as text for a terminal.

use eventlog::dead_letter::operator::{DeadLetter, Page, Whole};
use schemas::Timestamp;
use std::fmt::Write;

/// Characters of an error in a list.
const ERROR_WIDTH: usize = 60;

/// A page as a table.
pub fn page(page: &Page, now: Timestamp) -> String {
    if page.letters.is_empty() {
        return "No dead letters match.".to_owned();
    }
    let mut text = format!("{:>8}  {:<9} {:<8} {:>6} {:<44} ERROR\n", "ID", "STATE", "TRIES", "AGE", "TYPE");
    for letter in &page.letters {
        let kind = letter.event_type.as_deref().unwrap_or("-");
        let age = age((now - letter.created_at).num_seconds());
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:>8}  {:<9} {:<8} {age:>6} {kind:<44} {}",
            letter.id,
            letter.state,
            letter.attempts,
            shortened(&letter.error)
        );
    }
    let _ = match page.next {
        Some(next) => write!(text, "{} of {}; continue with --after {next}", page.letters.len(), page.total),
        None => write!(text, "{} in all", page.total),
    };
    text
}

/// One dead letter with everything.
pub fn whole(whole: &Whole) -> Result<String, serde_json::Error> {
    let DeadLetter { id, state, projection, aggregate_key, topic, partition, record_offset, error, attempts, .. } =
        &whole.letter;
    let mut text = format!("Dead letter {id}: {state} in {projection}, tried {attempts} times\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<12} {value}");
    };
    line("type", whole.letter.event_type.as_deref().unwrap_or("-"));
    line("key", aggregate_key);
    line("read at", &format!("{topic} [{partition}] offset {record_offset}"));
    line("kept since", &time(whole.letter.created_at));
    line("trace", whole.trace_id.as_deref().unwrap_or("-"));
    line("correlation", whole.correlation_id.as_deref().unwrap_or("-"));
    line("error", error);
    if let Some(head) = whole.waits_for {
        line("waits for", &head.to_string());
    }
    let _ = writeln!(text, "\nHeaders\n{}", serde_json::to_string_pretty(&whole.headers)?);
    let _ = writeln!(text, "\nPayload\n{}", serde_json::to_string_pretty(&whole.payload)?);
    let _ = writeln!(text, "\nHistory");
    for one in &whole.history {
        let actor = if one.actor.is_empty() { "the projection" } else { &one.actor };
        let _ = writeln!(text, "  {}  {:<8} {actor}: {}", time(one.at), one.kind.as_str(), one.note);
        if let Some(payload) = &one.payload {
            let _ = writeln!(text, "    before: {payload}");
        }
    }
    if !whole.queue.is_empty() {
        let _ = writeln!(text, "\n{} wait behind it", whole.queue.len());
    }
    for letter in &whole.queue {
        let kind = letter.event_type.as_deref().unwrap_or("-");
        let _ = writeln!(text, "  {:>8}  {kind} at offset {}", letter.id, letter.record_offset);
    }
    Ok(text)
}

fn time(time: Timestamp) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn age(seconds: i64) -> String {
    let (unit, length) = [("d", 86_400), ("h", 3_600), ("m", 60)]
        .into_iter()
        .find(|(_, length)| seconds >= 2 * length)
        .unwrap_or(("s", 1));
    format!("{}{unit}", seconds / length)
}

fn shortened(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    if line.chars().count() <= ERROR_WIDTH {
        return line.to_owned();
    }
    line.chars().take(ERROR_WIDTH).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::dead_letter::DeadLetterState;
    use serde_json::json;

    fn dead_letter(id: i64, state: DeadLetterState) -> DeadLetter {
        DeadLetter {
            id,
            projection: "products".to_owned(),
            aggregate_key: "t:p".to_owned(),
            tenant_id: None,
            topic: "souk.catalog.v1".to_owned(),
            partition: 3,
            record_offset: 40 + id,
            event_type: Some("souk.catalog.product.created.v1".to_owned()),
            state,
            error: "missing field `currency`\nat line 1".to_owned(),
            attempts: 2,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_page_names_the_way_on() {
        let at = Timestamp::UNIX_EPOCH + std::time::Duration::from_secs(7_200);
        let text = page(&Page { total: 9, letters: vec![dead_letter(7, DeadLetterState::Parked)], next: Some(7) }, at);
        assert!(text.contains("2h") && text.contains("missing field `currency`\n"), "{text}");
        assert!(text.ends_with("1 of 9; continue with --after 7"), "{text}");
        assert_eq!(page(&Page { total: 0, letters: vec![], next: None }, at), "No dead letters match.");
    }

    #[test]
    fn a_whole_dead_letter_shows_what_waits_behind_it() {
        let whole = Whole {
            letter: dead_letter(7, DeadLetterState::Parked),
            headers: json!({"ce_type": "x"}),
            payload: Some(json!({"product_id": 7})),
            trace_id: None,
            correlation_id: Some("c-1".to_owned()),
            history: vec![],
            waits_for: None,
            queue: vec![dead_letter(8, DeadLetterState::Queued)],
        };
        let text = super::whole(&whole).expect("text");
        for part in ["parked in products, tried 2 times", "\"product_id\": 7", "1 wait behind it", "offset 48", "c-1"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
