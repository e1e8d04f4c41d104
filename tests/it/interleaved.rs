//! Requests of many shops at once on two connections to each database, many of them given up half-way: nothing of one shop
//! gets into an answer for another, or into another's tables.

use acceptance::{beside::Beside, builders::product_line, shop::Shop, stack::TestStack};
use futures::{StreamExt, stream};
use reqwest::{Client, Method};
use serde_json::json;
use std::time::Duration;

const SHOPS: usize = 20;
const REQUESTS: usize = 10_000;
const AT_ONCE: usize = 64;

/// A shop of which everything has a word that is in no other.
struct Marked {
    word: String,
    shop: Shop,
    key: String,
}

impl Marked {
    async fn open(stack: &TestStack, number: usize) -> Self {
        let (slug, word) = (format!("mixed-{number:02}"), format!("marker{number:02}q"));
        let shop = Shop::open(stack, &slug).await;
        let category = json!({"external_id": "c", "name": format!("Lamps {word}"), "slug": "lamps", "position": 1});
        shop.bulk_all("categories", &[category]).await;
        let mut line = product_line("same", &format!("Lamp {word}"));
        line["categories"] = json!(["c"]);
        let token = shop.bulk_all("products", &[line]).await;
        assert_eq!(shop.search("lamp", &token).await.titles(), [format!("Lamp {word}")]);
        let key = shop.key("owner", &[]).await.1;
        Self { word, shop, key }
    }
}

/// What is asked of query-api, and whether the shop's word has to be in the answer.
const READS: [(&str, bool); 8] = [
    ("/v1/search?q=lamp", true),
    ("/v1/categories", true),
    ("/v1/products/by-external-id/same", true),
    ("/v1/suggest?q=lam", true),
    ("/v1/search?q=marker&limit=100", false),
    ("/v1/facets/brand", false),
    ("/v1/merchandising/synonyms", false),
    ("/v1/activity", false),
];

/// How many requests ended how.
#[derive(Debug, Default)]
struct Tally {
    answered: usize,
    refused: usize,
    given_up: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_of_twenty_shops_on_two_connections_tell_nothing_of_others() {
    let stack = TestStack::start(false).await;
    let mut shops = Vec::new();
    for number in 0..SHOPS {
        shops.push(Marked::open(&stack, number).await);
    }
    let query = Beside::start(&stack, "query-api", &["--query-connections", "2"]).await;
    let write = Beside::start(&stack, "write-api", &["--write-connections", "2"]).await;
    let http = Client::new();
    let (shops, query, write, http) = (&shops, &query, &write, &http);
    let ends = stream::iter(0..REQUESTS).map(|number| async move {
        let Marked { word, key, .. } = &shops[number % SHOPS];
        let (request, must_have) = if number % 10 == 9 {
            let set = json!({"kind": "multi_way", "terms": [format!("lamp {word}"), format!("light {number}")]});
            let path = format!("/v1/merchandising/synonyms/set-{}", number / SHOPS % 7);
            (http.request(Method::PUT, write.url(&path)).header("if-match", "*").json(&set), false)
        } else {
            let (path, must_have) = READS[number / SHOPS % READS.len()];
            (http.get(query.url(path)), must_have)
        };
        let ask = async {
            let answer = request.bearer_auth(key).send().await.expect("an answer");
            let status = answer.status().as_u16();
            (status, answer.text().await.expect("read to its end"))
        };
        // A third is given up, at any moment of its way.
        let patience =
            if number % 3 == 0 { Duration::from_micros((number as u64 * 7_919) % 9_000) } else { Duration::MAX };
        let Ok((status, text)) = tokio::time::timeout(patience, ask).await else { return None };
        let others = shops.iter().map(|other| &other.word).filter(|other| *other != word);
        let strange: Vec<_> = others.filter(|other| text.contains(other.as_str())).collect();
        assert!(strange.is_empty(), "request {number}, of {word}, tells of {strange:?}: {text}");
        assert!(status < 400 || matches!(status, 409 | 412 | 429 | 503), "request {number}: {status} {text}");
        assert!(status >= 400 || !must_have || text.contains(word), "request {number} tells nothing of {word}: {text}");
        Some(status < 400)
    });
    let tally = ends.buffer_unordered(AT_ONCE).fold(Tally::default(), |mut tally, end| async move {
        match end {
            Some(true) => tally.answered += 1,
            Some(false) => tally.refused += 1,
            None => tally.given_up += 1,
        }
        tally
    });
    let tally = tally.await;
    assert!(tally.answered > REQUESTS / 2 && tally.given_up > REQUESTS / 20, "{tally:?}");
    for Marked { word, shop, .. } in shops {
        let set = json!({"kind": "multi_way", "terms": [format!("lamp {word}"), "last"]});
        let last = shop.request(Method::PUT, "/v1/merchandising/synonyms/last").json(&set).send().await;
        let token = Shop::answer(last.expect("an answer")).await.body["token"].as_str().map(str::to_owned);
        let read = shop.read("/v1/merchandising/synonyms", token.as_deref()).await;
        let text = read.body.to_string();
        assert!(read.fresh && text.matches("marker").count() == text.matches(word.as_str()).count(), "{word}: {text}");
    }
}
