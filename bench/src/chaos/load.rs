//! Steady writers and readers, until they are told to end.

use super::{
    back_office::{BackOffice, Product, revision},
    client::{Answer, Client},
    fleet::{Fleet, NODES},
    ledger::{Ledger, Shown},
    member::Member,
    seen::{Seen, Totals},
};
use crate::BenchError;
use launcher::key::KeyArgs;
use schemas::Uuid;
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Writers, with so many products each.
const WRITERS: usize = 2;
const PRODUCTS: usize = 12;
/// Readers of each kind on each address: without tokens, and with them.
const READERS: usize = 1;
/// Between two commands of a writer, and two queries of a reader.
const PAUSE: Duration = Duration::from_millis(25);
/// How long a write may take to be read at a node that is well.
const FRESH_WITHIN: Duration = Duration::from_secs(90);

/// Load on a fleet.
#[derive(Debug)]
pub struct Load {
    /// What was acknowledged.
    pub ledger: Arc<Ledger>,
    seen: Arc<Seen>,
    witness: BackOffice,
    product: Product,
    client: Client,
    tenant: String,
    key: KeyArgs,
    addresses: [String; NODES],
    done: Arc<AtomicBool>,
    tasks: JoinSet<Result<(), BenchError>>,
}

impl Load {
    /// Opens a shop and begins.
    ///
    /// # Errors
    /// If write-api refuses, or the first write can't be read.
    pub async fn begin(fleet: &Fleet, tenant: &str) -> Result<Self, BenchError> {
        let (ledger, seen) = (Arc::<Ledger>::default(), Arc::<Seen>::default());
        let key = KeyArgs::of(fleet.stack.admin_key()?);
        let office = BackOffice::open(&fleet.url(Member::WriteApi), &key, tenant, &ledger, &seen).await?;
        let (addresses, product) = (fleet.query_urls(), office.create().await?);
        let client = Client::new(addresses.clone(), tenant, &key, &seen)?;
        let mut load = Self {
            ledger,
            seen,
            witness: office,
            product,
            client,
            tenant: tenant.to_owned(),
            key,
            addresses,
            done: Arc::default(),
            tasks: JoinSet::new(),
        };
        load.fresh_at(&[0, 1]).await?;
        for _ in 0..WRITERS {
            load.tasks.spawn(write(load.witness.clone(), Arc::clone(&load.done)));
        }
        for reader in 0..READERS * NODES {
            for with_tokens in [false, true] {
                let (client, ledger) = (load.client_of(reader % NODES)?, Arc::clone(&load.ledger));
                let (seen, done) = (Arc::clone(&load.seen), Arc::clone(&load.done));
                load.tasks.spawn(async move {
                    if with_tokens {
                        read_with_tokens(&client, &ledger, &seen, &done).await;
                    } else {
                        browse(&client, &ledger, &done).await;
                    }
                    Ok(())
                });
            }
        }
        Ok(load)
    }

    /// A client that asks a node first.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn client_of(&self, node: usize) -> Result<Client, BenchError> {
        let [one, two] = self.addresses.clone();
        Client::new(if node == 0 { [one, two] } else { [two, one] }, &self.tenant, &self.key, &self.seen)
    }

    /// Staff of the shop that is loaded.
    #[must_use]
    pub const fn office(&self) -> &BackOffice {
        &self.witness
    }

    /// The counts now.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.seen.totals()
    }

    /// Writes, and waits until each of these nodes shows it: from the views, and from its own index.
    ///
    /// # Errors
    /// If write-api refuses for good, or a node does not show it in time.
    pub async fn fresh_at(&mut self, nodes: &[usize]) -> Result<(), BenchError> {
        self.witness.retitle(&mut self.product).await?;
        let shown = self.product.shown.clone();
        for node in nodes {
            for path in [page(self.product.id), search(&shown.word)] {
                self.client.until_fresh(*node, &path, &shown.title_token, FRESH_WITHIN).await?;
            }
        }
        Ok(())
    }

    /// Waits until write-api has acknowledged so many more commands.
    ///
    /// # Errors
    /// If that takes more than two minutes.
    pub async fn until_acknowledged(&self, more: u64) -> Result<(), BenchError> {
        let from = self.totals().acknowledged;
        until("commands are acknowledged", || self.totals().acknowledged >= from + more).await
    }

    /// Waits until so many more answers have refused for now.
    ///
    /// # Errors
    /// If that takes more than two minutes.
    pub async fn until_refused(&self, more: u64) -> Result<(), BenchError> {
        let from = self.totals().refusals;
        until("requests are refused", || self.totals().refusals >= from + more).await
    }

    /// Has writers and readers finish what they are at; gives the counts.
    ///
    /// # Errors
    /// The first writer's that was refused for good.
    pub async fn end(&mut self) -> Result<Totals, BenchError> {
        self.done.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|error| BenchError::Broken(error.to_string()))??;
        }
        Ok(self.totals())
    }
}

/// Waits until something holds.
///
/// # Errors
/// If it does not within two minutes.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), BenchError> {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > Duration::from_secs(120) {
            return Err(BenchError::Failed(format!("not within two minutes: {what}")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn write(office: BackOffice, done: Arc<AtomicBool>) -> Result<(), BenchError> {
    let mut products: Vec<Product> = Vec::new();
    let mut number = 0_usize;
    while !done.load(Ordering::Relaxed) {
        match products.get_mut(number % PRODUCTS) {
            None => products.push(office.create().await?),
            Some(product) if (number / PRODUCTS).is_multiple_of(3) => office.reprice(product).await?,
            Some(product) => office.retitle(product).await?,
        }
        number += 1;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// The page of a product.
pub fn page(product: Uuid) -> String {
    format!("/v1/products/{product}")
}

/// A search for a product's own word.
pub fn search(word: &str) -> String {
    format!("/v1/search?q={word}&limit=5&mode=lexical")
}

/// Queries without a token: they have to be answered.
async fn browse(client: &Client, ledger: &Ledger, done: &AtomicBool) {
    let mut number = 0_usize;
    while !done.load(Ordering::Relaxed) {
        let Some((product, shown)) = ledger.any(number / 4) else { continue };
        let path = match number % 4 {
            0 => "/v1/search?q=chaos&limit=10&mode=lexical".to_owned(),
            1 => page(product),
            2 => search(&shown.word),
            _ => "/v1/categories".to_owned(),
        };
        client.query(&path, None).await;
        number += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads with the token of the last acknowledged write of what they show: the answer has to have it.
async fn read_with_tokens(client: &Client, ledger: &Ledger, seen: &Seen, done: &AtomicBool) {
    let mut number = 0_usize;
    while !done.load(Ordering::Relaxed) {
        number += 1;
        let Some((product, shown)) = ledger.any(number / 3) else { continue };
        let (path, token) = match (number % 3, &shown.price) {
            (0, _) => (search(&shown.word), &shown.title_token),
            (1, Some((_, token))) => (page(product), token),
            _ => (page(product), &shown.title_token),
        };
        if let Some(answer) = client.query(&path, Some(token)).await
            && answer.fresh
            && let Some(reason) = older(&answer, product, &shown, token)
        {
            seen.wrong.add(|| format!("{path}: {reason}"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// In what an answer is older than a token of what it shows; none if it is not.
pub fn older(answer: &Answer, product: Uuid, shown: &Shown, token: &str) -> Option<String> {
    let body = &answer.body;
    let id = product.to_string();
    let found = match body.get("hits").and_then(Value::as_array) {
        Some(hits) => hits.iter().find(|hit| hit["id"] == id.as_str()),
        None => Some(body),
    };
    let Some(found) = found else { return Some("it is not found".to_owned()) };
    if token == shown.title_token {
        let title = revision(&found["title"]);
        return title.is_none_or(|title| title < shown.title).then(|| format!("{title:?} of {}", shown.title));
    }
    let (price, _) = shown.price.as_ref()?;
    let showed = found["prices"]["USD"]["min"].as_u64();
    showed.is_none_or(|showed| showed < *price).then(|| format!("price {showed:?} of {price}"))
}
