//! What a stock command leads to.

use super::{Rejection, StockCommand, StockItem, command::Movement, policy};
use crate::domain::Aggregate;
use schemas::events::{
    InventoryEvent,
    inventory::{StockAdjusted, StockReceived},
};

impl Aggregate for StockItem {
    const NAME: &'static str = "stock_item";
    type Command = StockCommand;
    type Event = InventoryEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: StockCommand) -> Result<Vec<InventoryEvent>, Rejection> {
        let StockCommand { product_id, variant_id, location, movement } = command;
        let location = location.as_str().to_owned();
        let before = state.and_then(|item| item.levels.get(&location)).copied().unwrap_or_default();
        let after = |delta| policy::a_level_stays_between_zero_and_the_most(&location, before, delta);
        let (delta, reason, note) = match movement {
            Movement::Receive(quantity) => {
                let on_hand = after(quantity)?;
                let received = StockReceived { product_id, variant_id, location, quantity, on_hand };
                return Ok(vec![InventoryEvent::Received(received)]);
            }
            Movement::Adjust(delta, reason, note) => (delta, reason, note),
            Movement::Set(quantity, reason, note) => (quantity.saturating_sub(before), reason, note),
        };
        if delta == 0 {
            return Ok(vec![]);
        }
        let on_hand = after(delta)?;
        let adjusted = StockAdjusted { product_id, variant_id, location, delta, on_hand, reason, note };
        Ok(vec![InventoryEvent::Adjusted(adjusted)])
    }

    fn apply(state: Option<Self>, event: &InventoryEvent) -> Option<Self> {
        Some(Self::after(state, event))
    }
}
