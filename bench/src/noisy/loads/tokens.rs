//! Searches that wait for tokens of writes that never were.

use crate::noisy::neighbour::Neighbour;
use schemas::{
    Uuid,
    token::{TOKEN_HEADER, Token, WAIT_HEADER},
    topics::Context,
};
use tokio::task::JoinSet;

const CONNECTIONS: u128 = 60;
/// Aggregates that a token names: together just below what one shop's searches may wait for.
const NAMED: u128 = 600;

/// Each connection waits as long as may be, and then again.
pub(super) fn start(shop: &Neighbour, tasks: &mut JoinSet<()>) {
    for connection in 0..CONNECTIONS {
        let shop = shop.clone();
        tasks.spawn(async move {
            for round in 0.. {
                let token = made_up((connection << 64) + (round << 32)).to_string();
                let request = shop.read("search?q=anything&mode=lexical").header(TOKEN_HEADER, token);
                shop.send(request.header(WAIT_HEADER, "30000")).await;
            }
        });
    }
}

fn made_up(first: u128) -> Token {
    let mut token = Token::default();
    for number in first..first + NAMED {
        token.add(Context::Catalog, Uuid::from_u128(number), 1);
    }
    token
}
