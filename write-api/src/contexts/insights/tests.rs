//! What insights decides.

use super::domain::{Client, Report, ReportCommand};
use crate::domain::scenario::Scenario;
use schemas::{Timestamp, Uuid, events::InsightsEvent};
use schemas::{
    events::insights::{ActedObject, ActedPosition, ClientActed, ClientSearched, EventAttributes},
    ids::ProductId,
};

const DAY: i64 = 24 * 60 * 60;

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).expect("a time")
}

fn now() -> Timestamp {
    at(1_000 * DAY)
}

fn search() -> ClientSearched {
    ClientSearched {
        record_id: Uuid::from_u128(1),
        client_id: "c".into(),
        query_id: "q".into(),
        application: None,
        user_query: String::new(),
        query_attributes: [].into(),
        query_response_hit_ids: None,
        timestamp: now(),
        arm: None,
    }
}

fn action(name: &str) -> ClientActed {
    let object = ActedObject { object_id: ProductId(Uuid::nil()), object_id_field: "product_id".into() };
    ClientActed {
        record_id: Uuid::from_u128(2),
        action_name: name.into(),
        query_id: None,
        client_id: "c".into(),
        session_id: None,
        user_id: None,
        timestamp: now(),
        message: None,
        event_attributes: EventAttributes { object: Some(object), position: None },
    }
}

fn pointers(event: InsightsEvent) -> Vec<String> {
    Report::parse(event, now()).expect_err("refused").into_iter().map(|error| error.pointer).collect()
}

#[test]
fn what_is_known_is_not_recorded_again() {
    let event = InsightsEvent::Searched(search());
    let report = Report::parse(event.clone(), now()).expect("allowed");
    let command = |is_known| ReportCommand { report: report.clone(), is_known };
    Scenario::<Client>::given([]).when(command(false)).then([event.clone()]);
    Scenario::<Client>::given([event.clone()]).when(command(true)).then_nothing();
    Scenario::<Client>::given([event.clone()]).when(command(false)).then([event]);
}

#[test]
fn searches_that_break_a_rule_are_pointed_at() {
    assert!(Report::parse(InsightsEvent::Searched(search()), now()).is_ok());
    let long = || "x".repeat(513);
    let attributes = [("a".to_owned(), long().repeat(8).into())].into();
    let hits = Some(vec![ProductId(Uuid::nil()); 101]);
    for (event, pointer) in [
        (ClientSearched { client_id: String::new(), ..search() }, "/client_id"),
        (ClientSearched { query_id: long(), ..search() }, "/query_id"),
        (ClientSearched { user_query: long(), ..search() }, "/user_query"),
        (ClientSearched { user_query: "a\0".into(), ..search() }, "/user_query"),
        (ClientSearched { application: Some(long()), ..search() }, "/application"),
        (ClientSearched { query_attributes: attributes, ..search() }, "/query_attributes"),
        (ClientSearched { query_response_hit_ids: hits, ..search() }, "/query_response_hit_ids"),
        (ClientSearched { arm: Some("fresher".into()), ..search() }, "/arm"),
        (ClientSearched { arm: Some("a/B".into()), ..search() }, "/arm"),
        (ClientSearched { timestamp: at(1_001 * DAY + 1), ..search() }, "/timestamp"),
        (ClientSearched { timestamp: at(910 * DAY - 1), ..search() }, "/timestamp"),
    ] {
        assert_eq!(pointers(InsightsEvent::Searched(event)), [pointer]);
    }
}

#[test]
fn actions_that_break_a_rule_are_pointed_at() {
    for name in ["click", "add_to_cart", "purchase", "impression", "zoom_in2"] {
        assert!(Report::parse(InsightsEvent::Acted(action(name)), now()).is_ok(), "{name}");
    }
    let with = |change: fn(&mut EventAttributes)| {
        let mut action = action("click");
        change(&mut action.event_attributes);
        action
    };
    for (event, pointer) in [
        (action("Click"), "/action_name"),
        (action(""), "/action_name"),
        (with(|attributes| attributes.object = None), "/event_attributes/object"),
        (
            with(|attributes| attributes.position = Some(ActedPosition { ordinal: 0 })),
            "/event_attributes/position/ordinal",
        ),
        (ClientActed { session_id: Some(" x".into()), ..action("click") }, "/session_id"),
        (ClientActed { message: Some("x".repeat(1_001)), ..action("click") }, "/message"),
    ] {
        assert_eq!(pointers(InsightsEvent::Acted(event)), [pointer]);
    }
    let mut other = action("zoom");
    other.event_attributes.object = None;
    assert!(Report::parse(InsightsEvent::Acted(other), now()).is_ok(), "only some actions need a product");
}
