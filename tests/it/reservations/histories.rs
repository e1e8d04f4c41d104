//! What concurrent clients see of one SKU can be explained by one order: histories are recorded over HTTP and checked.

use super::{act, code, reserve};
use acceptance::{
    beside::Beside,
    builders::{product_line, stock_line},
    linearizability::{
        Call, check,
        stock::{Asked, Counter, Pieces, Told},
    },
    shop::{Read, Shop},
    stack::TestStack,
};
use futures::future::join_all;
use std::time::Instant;
use uuid::Uuid;

/// Histories, where `SOUK_TEST_HISTORIES` names no other number.
const HISTORIES: u32 = 50;
const CLIENTS: u32 = 6;
/// Commands of each client, one after the other.
const COMMANDS: u32 = 6;
const PIECES: i64 = 4;

/// Numbers that look drawn, and are the same in each run.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Commands of a client: reservations of its own, and what is done to those of anybody.
fn commands(history: u32, client: u32) -> Vec<Asked> {
    let mut drawn = Drawn(u64::from(history) * 1_000 + u64::from(client));
    let anybody = |drawn: &mut Drawn| u32::try_from(drawn.below(u64::from(CLIENTS) * 3)).expect("small");
    (0..COMMANDS)
        .map(|n| match drawn.below(5) {
            0..=2 => Asked::Reserve(client * 3 + n % 3, i64::from(client % 2) + 1),
            3 => Asked::Release(anybody(&mut drawn)),
            _ => Asked::Commit(anybody(&mut drawn)),
        })
        .collect()
}

fn told(read: &Read) -> Option<Told> {
    match (read.status.as_u16(), code(read)) {
        (200 | 201, _) => Some(Told::Done),
        (409, "insufficient_stock") => Some(Told::Short),
        (409, "reservation_ended") => Some(Told::Ended),
        (404, "not_found") => Some(Told::Missing),
        // It was not done, or nobody knows.
        (429 | 500.., _) => None,
        _ => unreachable!("{read:?}"),
    }
}

async fn ask(shop: &Shop, ids: &[Uuid], sku: &str, asked: Asked) -> Read {
    let id = |number: u32| ids[number as usize];
    match asked {
        // Without a key: what is asked again is decided again.
        Asked::Reserve(number, pieces) => {
            let request = shop.request(reqwest::Method::POST, "/v1/reservations");
            Shop::answer(request.json(&super::body(id(number), sku, pieces)).send().await.expect("an answer")).await
        }
        Asked::Commit(number) => act(shop, id(number), "commit").await,
        Asked::Release(number) => act(shop, id(number), "release").await,
    }
}

async fn recorded(shop: &Shop, history: u32, sku: &str) -> Vec<Call<Pieces>> {
    let ids: Vec<Uuid> = (0..CLIENTS * 3).map(|_| Uuid::now_v7()).collect();
    let (ids, clock) = (&ids, Instant::now());
    let now = || u64::try_from(clock.elapsed().as_nanos()).expect("less than centuries");
    let calls = join_all((0..CLIENTS).map(|client| async move {
        let mut calls = Vec::new();
        for command in commands(history, client) {
            let began = now();
            let answer = ask(shop, ids, sku, command).await;
            calls.push(Call { began, answered: told(&answer).map(|told| (now(), told)), command });
        }
        calls
    }))
    .await;
    calls.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_concurrent_clients_see_has_an_order() {
    let histories = match std::env::var("SOUK_TEST_HISTORIES") {
        Ok(number) => number.parse().expect("SOUK_TEST_HISTORIES is a number"),
        Err(_) => HISTORIES,
    };
    let stack = TestStack::start(false).await;
    // More commands than a shop may usually ask for in a second.
    let write = Beside::start(&stack, "write-api", &["--shop-commands-per-second", "0"]).await;
    let shop = Shop::open(&stack, "ordered").await.write_to(&write.url(""));
    let name = |history: u32| format!("h-{history}");
    let all: Vec<u32> = (0..histories).collect();
    for some in all.chunks(500) {
        let products: Vec<_> = some.iter().map(|history| product_line(&name(*history), "Ordered lamp")).collect();
        shop.bulk_all("products", &products).await;
        let stock: Vec<_> = some.iter().map(|history| stock_line(&name(*history), PIECES)).collect();
        shop.bulk_all("stock", &stock).await;
    }
    let (mut concurrent, mut short) = (0, 0);
    for history in all {
        let calls = recorded(&shop, history, &format!("SKU-{}", name(history))).await;
        let is_beside = |one: &Call<Pieces>, other: &Call<Pieces>| {
            one.began < other.began && one.answered.as_ref().is_none_or(|(at, _)| *at > other.began)
        };
        concurrent += calls.iter().filter(|one| calls.iter().any(|other| is_beside(one, other))).count();
        short += calls.iter().filter(|call| matches!(call.answered, Some((_, Told::Short)))).count();
        if let Err(violation) = check(&Counter::of(PIECES), &calls) {
            unreachable!("history {history} has no order: {violation:?}\n{calls:#?}");
        }
    }
    assert!(concurrent > 0 && short > 0, "the clients were never in each other's way");
    let unused = reserve(&shop, Uuid::now_v7(), "SKU-h-0", 1_000).await;
    assert_eq!(told(&unused), Some(Told::Short));
}
