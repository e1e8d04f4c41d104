//! How each limit is passed.

use super::{Beside, Duration, Instant, Row, as_told, get, is_counted, limited, said, within};
use acceptance::{
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The limits that can be tried, by their names on the page.
pub(super) const ALL: [&str; 17] = [
    "path and query of the address",
    "headers, names and values together, without tokens",
    "consistency tokens in headers",
    "headers, their number",
    "arrays and objects inside one another, in JSON",
    "connections",
    "connections from one address",
    "milliseconds until the header is there",
    "milliseconds until the body is there",
    "milliseconds in which nothing is taken of an answer",
    "milliseconds until an answer, since all of the request was there",
    "milliseconds without a request",
    "hosts other than the named ones",
    "body of a command",
    "line of a bulk write",
    "body of a question to query-api",
    "body that query-api passes on to accounts",
];

/// A limit of time for a trial, far below what is usual.
const SHORT_MS: &str = "200";

/// Tries a row.
///
/// # Panics
/// If the limit is not as the row says, or nobody knows how to pass it.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub(super) async fn of(row: &Row, stack: &TestStack, shop: &Shop) {
    let flag = format!("--{}", row.setting);
    match row.limit.as_str() {
        "path and query of the address" => address(row, stack).await,
        "headers, their number" => many_headers(row, stack).await,
        "headers, names and values together, without tokens" => {
            // Those that each trial sends count along.
            long_header(row, stack, "x-long", "hostxconnectionclose".len()).await;
        }
        "consistency tokens in headers" => long_header(row, stack, "souk-consistency-token", 0).await,
        "arrays and objects inside one another, in JSON" => depth(row, stack, shop).await,
        "connections" | "connections from one address" => {
            let counted = if row.limit == "connections" { "connections" } else { "connections_of_peer" };
            connections(row, &limited(stack, &[&flag, "2"]).await, counted).await;
        }
        "milliseconds until the header is there" => {
            let server = limited(stack, &[&flag, SHORT_MS]).await;
            as_told(row, &said(&server.address, "GET / HTTP/1.1\r\nho").await);
            is_counted(&server, "header_not_sent").await;
        }
        "milliseconds until the body is there" => {
            let server = limited(stack, &[&flag, SHORT_MS]).await;
            let half =
                command(stack, &shop.slug, "/v1/products", "{").replace("content-length: 1", "content-length: 9");
            as_told(row, &said(&server.address, &half).await);
            is_counted(&server, &row.code).await;
        }
        "milliseconds in which nothing is taken of an answer" => untaken(&flag, stack).await,
        "milliseconds until an answer, since all of the request was there" => late(row, &flag, stack, shop).await,
        "milliseconds without a request" => {
            let server = limited(stack, &[&flag, SHORT_MS]).await;
            let began = Instant::now();
            let answer = said(&server.address, &get("/health/live").replace("connection: close\r\n", "")).await;
            assert!(answer.starts_with("HTTP/1.1 200 ") && began.elapsed() < Duration::from_secs(30), "{answer}");
        }
        "hosts other than the named ones" => {
            let server = limited(stack, &[&flag, "shop.example"]).await;
            as_told(row, &said(&server.address, &get("/openapi.json")).await);
            let named = get("/openapi.json").replace("host: x", "host: shop.example:443");
            within(row, &said(&server.address, &named).await);
        }
        "body of a command" => {
            bodies(row, stack, &shop.slug, &stack.write_url(), "/v1/products").await;
        }
        "line of a bulk write" => line(row, stack, shop).await,
        "body of a question to query-api" => bodies(row, stack, &shop.slug, &stack.query_url(), "/v1/search").await,
        "body that query-api passes on to accounts" => {
            bodies(row, stack, &shop.slug, &stack.query_url(), "/v1/accounts").await;
        }
        _ => panic!("nobody knows how to try {row:?}"),
    }
}

/// A request with a body.
fn command(stack: &TestStack, shop: &str, path: &str, body: &str) -> String {
    let key = stack.stack.admin_key().expect("the admin key");
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-tenant-slug: {shop}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn host(url: &str) -> &str {
    url.trim_start_matches("http://")
}

async fn address(row: &Row, stack: &TestStack) {
    for url in [stack.write_url(), stack.query_url()] {
        let path = |bytes: usize| format!("/openapi.json?{}", "q".repeat(bytes - "/openapi.json?".len()));
        within(row, &said(host(&url), &get(&path(row.most()))).await);
        as_told(row, &said(host(&url), &get(&path(row.most() + 1))).await);
    }
}

async fn many_headers(row: &Row, stack: &TestStack) {
    // Each trial sends two by itself.
    let many = |count: usize| (2..count).map(|number| format!("x-{number}: h\r\n")).collect::<String>();
    with_headers(row, stack, [&many(row.most()), &many(row.most() + 1)]).await;
}

async fn long_header(row: &Row, stack: &TestStack, name: &str, others: usize) {
    let long = |bytes: usize| format!("{name}: {}\r\n", "h".repeat(bytes - others - name.len()));
    with_headers(row, stack, [&long(row.most()), &long(row.most() + 1)]).await;
}

/// Headers that are just taken, and some that are not.
async fn with_headers(row: &Row, stack: &TestStack, [taken, refused]: [&str; 2]) {
    let with = |headers: &str| get("/openapi.json").replace("connection:", &format!("{headers}connection:"));
    for url in [stack.write_url(), stack.query_url()] {
        within(row, &said(host(&url), &with(taken)).await);
        as_told(row, &said(host(&url), &with(refused)).await);
    }
}

async fn depth(row: &Row, stack: &TestStack, shop: &Shop) {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let told = "arrays and objects are inside one another";
    for (url, path) in [(stack.write_url(), "/v1/products"), (stack.query_url(), "/v1/search")] {
        let body = |depth: usize| command(stack, &shop.slug, path, &format!("{{\"attributes\":{}}}", nested(depth)));
        let answer = said(host(&url), &body(row.most() - 1)).await;
        assert!(!answer.contains(told), "{row:?}: {answer}");
        for depth in [row.most(), 100_000] {
            let answer = said(host(&url), &body(depth)).await;
            as_told(row, &answer);
            assert!(answer.contains(told), "{row:?}: {answer}");
        }
    }
}

async fn connections(row: &Row, server: &Beside, counted: &str) {
    let mut held = Vec::new();
    let refused = loop {
        // The places of those who asked whether it was ready may not be free yet: more are asked for than there are.
        let mut stream = TcpStream::connect(&server.address).await.expect("connected");
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("said");
        let mut start = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut start).await.expect("an answer");
        if !start.ends_with(b"200") {
            // What was refused is told on the same connection, which ends then: a place may be free a moment later.
            let mut rest = Vec::new();
            let whole = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
            tokio::time::timeout(PATIENCE, whole).await.expect("it hangs up").expect("the whole of it");
            break [String::from_utf8_lossy(&start), String::from_utf8_lossy(&rest)].concat();
        }
        held.push(stream);
        assert!(held.len() <= 2, "{row:?}");
    };
    as_told(row, &refused);
    drop(held);
    is_counted(server, counted).await;
}

/// A client that asks and asks, and reads nothing.
async fn untaken(flag: &str, stack: &TestStack) {
    let server = limited(stack, &[flag, SHORT_MS]).await;
    let mut stream = TcpStream::connect(&server.address).await.expect("connected");
    let (_hears, mut says) = stream.split();
    let asks = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    tokio::select! {
        // It ends when it is hung up on; before, it has said more than it would be answered.
        _ = async { while says.write_all(asks.as_bytes()).await.is_ok() {} } => {}
        () = is_counted(&server, "answer_not_read") => {}
    }
    is_counted(&server, "answer_not_read").await;
}

/// A command that waits for what somebody else has locked.
async fn late(row: &Row, flag: &str, stack: &TestStack, shop: &Shop) {
    let server = limited(stack, &[flag, SHORT_MS]).await;
    let mut holder = stack.write.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE catalog.products IN ACCESS EXCLUSIVE MODE").execute(&mut *holder).await.expect("locked");
    let body = r#"{"external_id":"late","title":"Late lamp","variants":[{"sku":"late"}]}"#;
    as_told(row, &said(&server.address, &command(stack, &shop.slug, "/v1/products", body)).await);
    holder.rollback().await.expect("free");
    is_counted(&server, &row.code).await;
}

async fn bodies(row: &Row, stack: &TestStack, shop: &str, url: &str, path: &str) {
    let of = |bytes: usize| {
        command(stack, shop, path, &format!("{{\"q\":\"{}\"}}", "x".repeat(bytes - r#"{"q":""}"#.len())))
    };
    within(row, &said(host(url), &of(row.most())).await);
    as_told(row, &said(host(url), &of(row.most() + 1)).await);
}

async fn line(row: &Row, stack: &TestStack, shop: &Shop) {
    let url = stack.write_url();
    let of = |bytes: usize| {
        let body = format!("{{\"q\":\"{}\"}}\n", "x".repeat(bytes - r#"{"q":""}"#.len()));
        command(stack, &shop.slug, "/v1/products/bulk", &body)
    };
    let told = format!("\"code\":\"{}\"", row.code);
    let answer = said(host(&url), &of(row.most())).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains(&told), "{row:?}: {answer}");
    let answer = said(host(&url), &of(row.most() + 1)).await;
    assert!(answer.contains(&told) && answer.contains(&format!("\"status\":{}", row.answer)), "{row:?}: {answer}");
}
