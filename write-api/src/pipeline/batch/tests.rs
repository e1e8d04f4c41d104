//! Carrying out commands, on an aggregate that counts.

use super::*;
use crate::contexts::inventory::domain::{
    StockCommand, StockItem,
    command::{Move, Movement, parse_movement},
};
use proptest::prelude::*;
use schemas::ids::{ProductId, VariantId};

const PRODUCT: ProductId = ProductId(Uuid::nil());

fn receive(batch: &mut Batch<StockItem>, id: Uuid, pieces: i64, expected: Expected) -> Result<Done, Rejection> {
    let (location, movement) = parse_movement("main", Movement::Receive(pieces)).map_err(Rejection::invalid)?;
    let command = StockCommand::Move(Move { product_id: PRODUCT, variant_id: VariantId(id), location, movement });
    batch.carry_out(id, expected, |batch| Ok(StockItem::decide(batch.state(id), command)?))
}

#[test]
fn what_was_done_tells_what_was_there() {
    let (mut batch, id) = (Batch::default(), Uuid::from_u128(1));
    let first = receive(&mut batch, id, 3, Expected::Any).expect("room");
    assert_eq!((first.change, first.version), (Change::Created, 1));
    let second = receive(&mut batch, id, 3, Expected::Version(1)).expect("room");
    assert_eq!((second.change, second.version), (Change::Changed, 2));
    let nothing = batch.carry_out(id, Expected::Any, |_| Ok(Vec::new())).expect("allowed");
    assert_eq!((nothing.change, nothing.version), (Change::Unchanged, 2));
    let never = batch.carry_out(Uuid::from_u128(2), Expected::Any, |_| Ok(Vec::new())).expect("allowed");
    assert_eq!((never.change, never.version), (Change::Unchanged, 0));
}

#[test]
fn where_all_storage_is_used_what_is_there_changes_and_nothing_is_made() {
    let (mut batch, id) = (Batch::default(), Uuid::from_u128(1));
    receive(&mut batch, id, 3, Expected::Any).expect("room");
    let full = Rejection::too_large("full");
    batch.full = Some(full.clone());
    assert_eq!(receive(&mut batch, id, 3, Expected::Any).expect("it is there").change, Change::Changed);
    assert_eq!(receive(&mut batch, Uuid::from_u128(2), 3, Expected::Any), Err(full));
    let nothing = batch.carry_out(Uuid::from_u128(3), Expected::Any, |_| Ok(Vec::new())).expect("nothing is made");
    assert_eq!((nothing.change, batch.events().len()), (Change::Unchanged, 2));
}

#[test]
fn nothing_is_decided_for_another_version() {
    let (mut batch, id) = (Batch::default(), Uuid::from_u128(1));
    receive(&mut batch, id, 3, Expected::Any).expect("room");
    let refused = batch.carry_out(id, Expected::Version(7), |_| unreachable!("it was decided"));
    assert_eq!(refused, Err(Rejection::version_stale(7, Some(1))));
    assert_eq!(batch.events().len(), 1);
}

#[test]
fn what_the_log_can_not_take_is_refused_with_its_largest_part() {
    assert_eq!(fits(&"x".repeat(MAX_EVENT_BYTES)), Ok(()));
    let payload =
        serde_json::json!({"content": {"title": "A", "description": "x".repeat(MAX_EVENT_BYTES)}}).to_string();
    let refused = fits(&payload).expect_err("too large");
    let problem = refused.problem();
    assert_eq!((problem.status, problem.code.as_str()), (413, "too_large"));
    let detail = problem.detail.as_deref().unwrap_or_default();
    assert!(detail.contains("/content/description with 1048578 bytes"), "{detail}");
}

proptest! {
    #[test]
    fn versions_are_contiguous(quantities in proptest::collection::vec((0_u128..3, 0_i64..5), 0..40), start in 1_u64..9) {
        let mut batch = Batch::<StockItem>::default();
        let id = Uuid::from_u128(0);
        batch.insert(id, start, StockItem::new(PRODUCT, VariantId(id)));
        for (id, quantity) in quantities {
            let id = Uuid::from_u128(id);
            // Nothing arrives by none: that is refused at the door.
            prop_assert_eq!(receive(&mut batch, id, quantity, Expected::Any).is_ok(), quantity > 0);
        }
        let mut last: HashMap<Uuid, u64> = HashMap::from([(id, start)]);
        for decided in &batch.log {
            let before = last.insert(decided.id, decided.version).unwrap_or_default();
            prop_assert_eq!(decided.version, before + 1);
        }
    }
}
