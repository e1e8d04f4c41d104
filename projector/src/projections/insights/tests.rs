use super::*;
use schemas::{
    Timestamp, Uuid,
    events::insights::{ActedObject, ActedPosition, EventAttributes},
};

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const DAY: i64 = 24 * 60 * 60;

fn search(query_id: &str, text: &str, hits: usize) -> InsightsEvent {
    InsightsEvent::Searched(ClientSearched {
        record_id: Uuid::nil(),
        client_id: "c".into(),
        query_id: query_id.into(),
        application: None,
        user_query: text.into(),
        query_attributes: BTreeMap::new(),
        query_response_hit_ids: Some(vec![ProductId(Uuid::nil()); hits]),
        timestamp: Timestamp::UNIX_EPOCH,
        arm: Some("fresher/new".into()),
    })
}

fn action(name: &str, query_id: Option<&str>, ordinal: Option<u32>) -> InsightsEvent {
    let object = Some(ActedObject { object_id: ProductId(Uuid::from_u128(7)), object_id_field: "product_id".into() });
    let position = ordinal.map(|ordinal| ActedPosition { ordinal });
    InsightsEvent::Acted(ClientActed {
        record_id: Uuid::nil(),
        action_name: name.into(),
        query_id: query_id.map(str::to_owned),
        client_id: "c".into(),
        session_id: None,
        user_id: None,
        // A day after the search: the search's day is the one that counts for the query.
        timestamp: Timestamp::from_timestamp(DAY, 0).expect("a time"),
        message: None,
        event_attributes: EventAttributes { object, position },
    })
}

fn ledger(events: &[InsightsEvent]) -> Ledger {
    let mut ledger = Ledger::default();
    events.iter().for_each(|event| ledger.add(TENANT, event));
    ledger
}

#[test]
fn a_click_counts_for_its_search_whichever_comes_first() {
    let events = [
        search("q", " Red   SHOES ", 3),
        action("click", Some("q"), Some(2)),
        action("click", Some("q"), Some(5)),
        action("add_to_cart", Some("q"), None),
        action("purchase", Some("q"), None),
    ];
    let forward = ledger(&events);
    let backward = ledger(&events.iter().rev().cloned().collect::<Vec<_>>());
    assert_eq!(forward.queries, backward.queries);
    assert_eq!(forward.searches, backward.searches);
    let (day, query) = (NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day"), "red shoes".to_owned());
    let asked = Asked { day, query, experiment: "fresher".into(), arm: "new".into() };
    let followed = Followed { clicks: 2, placed_clicks: 2, click_positions: 7, carts: 1, purchases: 1 };
    let expected = QueryFigures { searches: 1, no_results: 0, followed, clicked_searches: 1, purchased_searches: 1 };
    assert_eq!(forward.queries, [((TENANT, asked), expected)].into());
}

#[test]
fn a_search_that_is_reported_by_two_counts_once() {
    let twice = ledger(&[search("q", "shoes", 0), search("q", "shoes", 0), search("r", "shoes", 1)]);
    let figures = twice.queries.values().next().expect("one query");
    assert_eq!((twice.queries.len(), figures.searches, figures.no_results), (1, 2, 1));
}

#[test]
fn products_are_counted_on_the_day_of_the_action_with_or_without_a_search() {
    let names = ["impression", "impression", "click", "add_to_cart", "purchase", "zoom"];
    let ledger = ledger(&names.map(|name| action(name, None, None)));
    let day = NaiveDate::from_ymd_opt(1970, 1, 2).expect("a day");
    let expected = ProductFigures { impressions: 2, clicks: 1, carts: 1, purchases: 1 };
    assert_eq!(ledger.products, [((TENANT, day, ProductId(Uuid::from_u128(7))), expected)].into());
    assert!(ledger.searches.is_empty(), "no search is named");
}
