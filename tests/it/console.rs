//! The operators' console in a real browser: signing in, the pipeline, a generation from its plan to its rollback, dead
//! letters, probes and a product's lineage; on a desk and on a phone, in light and dark.

use crate::dead_letters;
mod sign_in;

use acceptance::{
    browser::{Browser, keys},
    builders::{price_line, product_line, stock_line},
    buying::{Buyer, take_orders},
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::stack::Service;
use reindex::probe::{self, Probe, Target};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

const PARTS: [&str; 8] =
    ["pipeline", "generations", "dead-letters", "probes", "lineage", "operations", "processes", "activity"];
const KEY: &str = "#by-key [data-field=key] input";

async fn fill(shop: &Shop) -> String {
    let ids: Vec<String> = (0..40).map(|number| format!("c-{number}")).collect();
    let products: Vec<Value> = ids
        .iter()
        .enumerate()
        .map(|(number, id)| {
            product_line(id, &format!("{} lamp {number}", ["Brass", "Oak", "Glass", "Linen"][number % 4]))
        })
        .collect();
    let prices: Vec<Value> = ids.iter().map(|id| price_line(id, 4_900)).collect();
    let stock: Vec<Value> = ids.iter().map(|id| stock_line(id, 7)).collect();
    let tokens = [
        shop.bulk_all("products", &products).await,
        shop.bulk_all("prices", &prices).await,
        shop.bulk_all("stock", &stock).await,
    ];
    tokens.join(",")
}

/// What a comparison takes its queries from.
async fn shoppers_asked(stack: &TestStack) {
    sqlx::query(
        "INSERT INTO insight_queries SELECT id, current_date, query, '', '', 5, 0, 0, 0, 0, 0, 0, 0, 0
         FROM tenants, unnest(ARRAY['brass lamp', 'oak lamp', 'glass', 'lamp 7']) AS query WHERE slug = 'lamps'",
    )
    .execute(&stack.read)
    .await
    .expect("queries");
}

fn element(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}

fn text_of(selector: &str) -> String {
    format!("({}?.innerText ?? '')", element(selector))
}

/// Enough contrast, a name for every control, no id twice, and nothing to be scrolled sideways.
async fn it_is_legible(browser: &Browser) {
    let found = browser.value(include_str!("storefront/legible.js").trim_end().trim_end_matches(';')).await;
    let place = browser.value("location.href").await;
    assert_eq!(found, json!([]), "{place}");
    let widths = browser.value("[document.documentElement.scrollWidth, innerWidth]").await;
    assert_eq!(widths[0], widths[1], "{place}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_and_steers_everything() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "lamps").await;
    let token = fill(&shop).await;
    assert_eq!(shop.search("lamp", &token).await.body["total"], 40);
    shoppers_asked(&stack).await;
    let console = format!("{}/console", stack.query_url());
    let key = stack.stack.admin_key().expect("the admin key");
    browser.prefer("light").await;
    browser.screen(1_440, 900).await;

    nobody_gets_in_without_the_key(&browser, &shop, &console, &key).await;
    the_pipeline_is_live(&browser, &stack, &shop).await;
    a_generation_goes_its_way(&browser, &shop, &console).await;
    dead_letters_are_settled(&browser, &stack, &shop, &console).await;
    probes_are_shown(&browser, &stack, &console).await;
    a_product_shows_its_lineage(&browser, &console).await;
    everything_done_is_recorded(&browser, &console).await;
    a_process_is_given_up(&browser, &shop, &console).await;
    what_staff_did_is_shown(&browser, &shop, &console).await;
    it_is_shown_in_the_dark_and_on_a_phone(&browser, &console).await;
    let complaints = browser.complaints().await;
    // The browser itself complains of each refused request.
    let real: Vec<&String> = complaints
        .iter()
        .filter(|one| {
            !one.contains("status of 401") && !one.contains("status of 400") && !one.contains("status of 409")
        })
        .collect();
    assert!(real.is_empty(), "{real:?}");
    a_dead_consumer_is_marked(&browser, &stack, &console).await;
}

async fn nobody_gets_in_without_the_key(browser: &Browser, shop: &Shop, console: &str, key: &str) {
    for path in ["pipeline", "generations", "dead-letters", "probes", "operations", "tenants"] {
        let read = shop.without_key().read(&format!("/v1/console/{path}"), None).await;
        assert_eq!(read.status, 401, "{path}: {read:?}");
    }
    // A key in the address opens nothing any more.
    browser.open(&format!("{console}#key={key}")).await;
    browser.until("document.querySelector('[data-field=shop] input')?.value === 'installation'").await;
    assert_eq!(browser.value("location.hash").await, "", "and stays in none");
    browser.picture("console-sign-in-light").await;
    it_is_legible(browser).await;
    browser.click("#by-key summary").await;
    browser.keys(KEY, &format!("guessed{}", keys::ENTER)).await;
    browser.until(&format!("{}.includes('key is not known')", text_of("#by-key .form-told"))).await;
    browser.picture("console-sign-in-key-light").await;
    it_is_legible(browser).await;
    browser.value(&format!("{}.value = ''", element(KEY))).await;
    browser.keys("#by-key [data-field=name] input", "anna").await;
    browser.keys(KEY, &format!("{key}{}", keys::ENTER)).await;
    browser.until("document.querySelectorAll('.station').length === 7").await;
    // It lasts as long as the tab, or until somebody signs out.
    browser.reload().await;
    browser.until("document.querySelectorAll('.station').length === 7").await;
    browser.click("#leave").await;
    browser.until("document.querySelector('[data-field=email] input')").await;
    browser.reload().await;
    browser.click("#by-key summary").await;
    browser.keys(KEY, &format!("{key}{}", keys::ENTER)).await;
    browser.until("document.querySelectorAll('.station').length === 7").await;
}

async fn a_process_is_given_up(browser: &Browser, shop: &Shop, console: &str) {
    take_orders(shop).await;
    let guest = Buyer::guest(shop).await;
    let cart = guest.cart("SKU-c-1", 1).await;
    let begun = guest.checkout("r-1", &cart, "transfer", 5_400).await;
    assert_eq!(begun.body["phase"], "awaiting_payment", "{begun:?}");
    browser.open(&format!("{console}#/processes?shop=lamps")).await;
    browser.until(&format!("{}.includes('the shopper transfers the money')", text_of("main"))).await;
    browser.picture("console-processes-desktop-light").await;
    it_is_legible(browser).await;
    browser.click("[data-key^='abort']").await;
    browser.until("document.getElementById('ask').open").await;
    browser.keys("#ask [name=reason]", "the shopper called").await;
    browser.click("#ask-yes").await;
    browser.until(&format!("{}.includes('Nothing is under way')", text_of("main"))).await;
}

async fn the_pipeline_is_live(browser: &Browser, stack: &TestStack, shop: &Shop) {
    let key = stack.stack.admin_key().ok();
    let target = Target { write_url: stack.write_url(), query_url: stack.query_url(), key };
    let round = Probe::new(target).expect("a probe").round().await;
    probe::keep(&stack.read, &round, false).await.expect("kept");
    let (writer, goes_on) = (shop.clone(), Arc::new(AtomicBool::new(true)));
    let told = Arc::clone(&goes_on);
    let writing = tokio::spawn(async move {
        for number in 0.. {
            if !told.load(Ordering::Relaxed) {
                break;
            }
            let id = format!("c-{}", number % 40);
            writer.bulk_all("products", &[product_line(&id, &format!("Brass lamp {number}"))]).await;
            writer.read("/v1/search?q=lamp", None).await;
        }
    });
    let moves = |station: &str| {
        format!("['slow', 'fast'].includes({}.dataset.moves)", element(&format!("[data-station={station}]")))
    };
    for station in ["commands", "outbox", "views", "documents", "index", "hits"] {
        browser.until(&moves(station)).await;
    }
    browser.until("document.getElementById('beat').dataset.state === 'live'").await;
    browser.until("document.querySelectorAll('.square').length > 20").await;
    browser.picture("console-pipeline-desktop-light").await;
    goes_on.store(false, Ordering::Relaxed);
    writing.await.expect("written");
    browser.until(&format!("{}.includes('lamps')", text_of("main"))).await;
    browser.until("[...document.querySelectorAll('.station')].filter((one) => one.dataset.station !== 'embed').every((one) => one.dataset.state === 'ok')").await;
    it_is_legible(browser).await;
}

/// Clicks an action of a generation and agrees to it; waits until the dialog has gone.
async fn does(browser: &Browser, generation: &str, action: &str) {
    browser.click(&format!("[data-key='{action} {generation}']")).await;
    browser.until("document.getElementById('ask').open").await;
    if action == "rollback" {
        browser.keys("#ask [name=reason]", "too many misses").await;
    }
    if action == "promote" {
        browser.value("document.querySelector('#ask [name=watch_seconds]').value = '0'").await;
    }
    if action == "compare" {
        browser.value("document.querySelector('#ask [name=tenant]').value = 'lamps'").await;
    }
    browser.click("#ask-yes").await;
    browser.until("!document.getElementById('ask').open").await;
}

async fn becomes(browser: &Browser, generation: &str, state: &str) {
    let shown = format!(
        "[...document.querySelectorAll('.generation')].find((one) => one.querySelector('h3').textContent === '{generation}')?.dataset.state"
    );
    eventually(&format!("{generation} is {state}"), PATIENCE, || async {
        let found = browser.value(&shown).await;
        if found == state { Ok(()) } else { Err(format!("{found}: {}", browser.value(&text_of("main")).await)) }
    })
    .await;
}

async fn a_generation_goes_its_way(browser: &Browser, shop: &Shop, console: &str) {
    browser.open(&format!("{console}#/generations")).await;
    becomes(browser, "g1", "active").await;
    browser.click(".page-head .button.primary").await;
    browser.until("document.getElementById('ask').open").await;
    browser.picture("console-plan-light").await;
    it_is_legible(browser).await;
    browser.click("#ask-yes").await;
    becomes(browser, "g2", "planned").await;
    does(browser, "g2", "build").await;
    becomes(browser, "g2", "catching_up").await;
    browser.until(&format!("{}.includes('documents')", text_of(".copies"))).await;
    does(browser, "g2", "verify").await;
    becomes(browser, "g2", "ready").await;
    does(browser, "g2", "compare").await;
    browser
        .until("[...document.querySelectorAll('.generation')].some((one) => one.innerText.includes('Comparison'))")
        .await;
    browser.picture("console-generations-desktop-light").await;
    it_is_legible(browser).await;
    browser.click("[data-key='open g2']").await;
    browser
        .until(&format!(
            "{}.includes('rank-biased overlap') && {}.includes('Declared differences')",
            text_of("main"),
            text_of("main")
        ))
        .await;
    browser.picture("console-generation-desktop-light").await;
    it_is_legible(browser).await;
    browser.open(&format!("{console}#/generations")).await;
    does(browser, "g2", "promote").await;
    becomes(browser, "g2", "active").await;
    eventually("shoppers are answered by g2", PATIENCE, || async {
        let answer = shop.read("/v1/search?q=oak", None).await.body;
        if answer["generation"] == "g2" { Ok(()) } else { Err(answer["generation"].to_string()) }
    })
    .await;
    does(browser, "g2", "rollback").await;
    becomes(browser, "g1", "active").await;
    browser
        .until(&format!("{}.includes('too many misses') && {}.includes('anna')", text_of("main"), text_of("main")))
        .await;
}

async fn dead_letters_are_settled(browser: &Browser, stack: &TestStack, shop: &Shop, console: &str) {
    let product = dead_letters::poison(stack, shop, "wick").await;
    let (parked, queued) = {
        let kept = dead_letters::of_product(stack, product).await;
        (kept[0].0, kept[1].0)
    };
    browser.open(&format!("{console}#/dead-letters")).await;
    browser.until("document.querySelectorAll('.rows tbody tr').length === 2").await;
    browser.picture("console-dead-letters-desktop-light").await;
    it_is_legible(browser).await;
    browser.keys("[name=error]", "invalid type").await;
    browser.until("document.querySelectorAll('.rows tbody tr').length === 1").await;
    browser.click(&format!("[data-key='dead-letter {parked}']")).await;
    browser.until(&format!("{}.includes('№ {queued}')", text_of("main"))).await;
    browser.picture("console-dead-letter-desktop-light").await;
    it_is_legible(browser).await;
    browser.click("[data-key='Edit and retry']").await;
    browser.until("document.getElementById('ask').open").await;
    browser.click("#ask-yes").await;
    browser.until(&format!("{}.includes('not taken')", text_of("#ask-problem"))).await;
    let payload = String::from_utf8(dead_letters::good_payload(stack, product).await).expect("text");
    browser.value(&format!("document.querySelector('#ask [name=payload]').value = {}", json!(payload))).await;
    browser.click("#ask-yes").await;
    browser.until("!document.getElementById('ask').open").await;
    browser.until(&format!("{}.includes('retried')", text_of(".page-head"))).await;
    browser.open(&format!("{console}#/dead-letters/{queued}")).await;
    browser.until(&format!("{}.includes('retried')", text_of(".page-head"))).await;

    dead_letters::poison(stack, shop, "shade").await;
    browser.open(&format!("{console}#/dead-letters")).await;
    browser.until("document.querySelectorAll('.rows tbody tr').length === 2").await;
    browser.click(".page-head .button.grave").await;
    browser.until("document.getElementById('ask').open").await;
    browser.keys("#ask [name=reason]", "of a test").await;
    browser.click("#ask-yes").await;
    browser.until("!document.getElementById('ask').open").await;
    browser.until(&format!("{}.includes('No dead letter matches')", text_of("main"))).await;
}

async fn probes_are_shown(browser: &Browser, stack: &TestStack, console: &str) {
    // An hour of rounds, of which two missed.
    sqlx::query(
        "INSERT INTO probes (at, outcome, write_ms, searchable_ms, error)
         SELECT now() - make_interval(secs => n * 9), CASE WHEN n IN (90, 210) THEN 'late' ELSE 'found' END, 4 + n % 5,
                CASE WHEN n IN (90, 210) THEN NULL ELSE 18 + (n * 7919 % 13) + CASE WHEN n % 41 = 0 THEN 30 ELSE 0 END END,
                CASE WHEN n IN (90, 210) THEN 'not searchable after 10 s' ELSE '' END
         FROM generate_series(1, 399) AS n",
    )
    .execute(&stack.read)
    .await
    .expect("rounds");
    browser.open(&format!("{console}#/probes")).await;
    browser.until("document.querySelectorAll('.chart-dot').length > 300 && document.querySelectorAll('.chart-miss').length === 2").await;
    browser.picture("console-probes-desktop-light").await;
    it_is_legible(browser).await;
    browser.click("[name=span][value='15']").await;
    browser.until("document.querySelectorAll('.chart-dot').length < 120").await;
}

async fn a_product_shows_its_lineage(browser: &Browser, console: &str) {
    browser.open(&format!("{console}#/lineage")).await;
    browser.until("document.querySelector('[name=tenant]')?.value === 'lamps'").await;
    browser.keys("[name=q]", &format!("SKU-c-7{}", keys::ENTER)).await;
    browser
        .until(
            "document.querySelectorAll('.hop').length === 7 || document.querySelectorAll('.rows tbody a').length > 0",
        )
        .await;
    if browser.value("document.querySelectorAll('.hop').length").await == 0 {
        browser.click(".rows tbody a").await;
    }
    let stations = "[...document.querySelectorAll('.hop')].map((one) => one.dataset.state).join(' ')";
    browser.until(&format!("{stations} === 'ok ok ok ok ok soft ok'")).await;
    for part in
        ["Every event", "souk.pricing.price_sheet.changed.v1", "catalog", "inventory", "g1", "g2", "In the storefront"]
    {
        browser.until(&format!("{}.includes({})", text_of("main"), json!(part))).await;
    }
    browser.picture("console-lineage-desktop-light").await;
    it_is_legible(browser).await;
}

async fn everything_done_is_recorded(browser: &Browser, console: &str) {
    browser.open(&format!("{console}#/operations")).await;
    for part in ["anna", "dead letter: edit", "dead letter: discard", "of a test", "generation: active"] {
        browser.until(&format!("{}.includes({})", text_of("main"), json!(part))).await;
    }
    browser.picture("console-operations-desktop-light").await;
    it_is_legible(browser).await;
}

async fn what_staff_did_is_shown(browser: &Browser, shop: &Shop, console: &str) {
    let origin = json!({"origins": ["https://lamps.example"]});
    let set = shop.request(reqwest::Method::PUT, "/v1/origins").header("souk-reason", "Of a test").json(&origin);
    assert!(set.send().await.expect("an answer").status().is_success());
    browser.open(&format!("{console}#/activity?shop=lamps")).await;
    browser.until(&format!("{}.includes('Of a test')", text_of(".rows tbody tr"))).await;
    browser.click(".rows tbody tr summary").await;
    browser.until(&format!("{}.includes('https://lamps.example')", text_of(".rows tbody tr ins"))).await;
    browser.picture("console-activity-desktop-light").await;
    it_is_legible(browser).await;
    // What was done to one aggregate, by an address that can be sent to somebody.
    browser.click(".rows tbody tr [data-name='On what'] a").await;
    browser.until("location.hash.includes('of=') && document.querySelectorAll('.rows tbody tr').length === 2").await;
    browser.reload().await;
    browser.until("document.querySelectorAll('.rows tbody tr').length === 2").await;
    // The catalog came in more entries than a page has, or in a few; the oldest is a page away at most.
    browser.open(&format!("{console}#/activity?shop=lamps&before=2")).await;
    browser.until("document.querySelectorAll('.rows tbody tr').length === 1").await;
    browser.until(&format!("{}.includes('Newest')", text_of(".page-tools"))).await;
}

async fn it_is_shown_in_the_dark_and_on_a_phone(browser: &Browser, console: &str) {
    let drawn = "document.getElementById('beat').dataset.state === 'live' && document.querySelector('main > *')";
    browser.click("#theme").await;
    browser.until("document.documentElement.dataset.theme === 'dark'").await;
    for part in PARTS {
        browser.open(&format!("{console}#/{part}")).await;
        browser.until(&format!("{drawn} && document.title.length > 14")).await;
        settle(browser, part).await;
        browser.picture(&format!("console-{part}-desktop-dark")).await;
        it_is_legible(browser).await;
    }
    for (width, height) in [(390, 844), (320, 640)] {
        browser.screen(width, height).await;
        for part in PARTS.into_iter().chain(["generations/g2", "dead-letters/1"]) {
            browser.open(&format!("{console}#/{part}")).await;
            browser.until(drawn).await;
            settle(browser, part).await;
            it_is_legible(browser).await;
            if width == 390 {
                browser.picture(&format!("console-{}-phone-dark", part.replace('/', "-"))).await;
            }
        }
    }
    browser.click("#theme").await;
    browser.screen(390, 844).await;
    browser.open(&format!("{console}#/pipeline")).await;
    settle(browser, "pipeline").await;
    browser.picture("console-pipeline-phone-light").await;
    it_is_legible(browser).await;
    browser.screen(1_440, 900).await;
}

/// Waits until a part shows what it has.
async fn settle(browser: &Browser, part: &str) {
    let there = match part.split('/').next().unwrap_or_default() {
        "pipeline" => "document.querySelectorAll('.square').length > 20",
        "generations" if part.contains('/') => "document.querySelectorAll('.panel').length > 2",
        "generations" => "document.querySelectorAll('.generation').length > 1",
        "probes" => "document.querySelectorAll('.chart-dot').length > 0",
        "lineage" => "document.querySelector('[name=tenant]')?.options.length > 0",
        "dead-letters" if part.contains('/') => "document.querySelectorAll('.panel').length > 2",
        "dead-letters" | "processes" => "document.querySelector('main .empty, main .rows')",
        "activity" => "document.querySelector('.rows tbody tr')",
        _ => "document.querySelectorAll('.rows tbody tr').length > 2",
    };
    browser.until(there).await;
}

async fn a_dead_consumer_is_marked(browser: &Browser, stack: &TestStack, console: &str) {
    browser.open(&format!("{console}#/pipeline")).await;
    browser.until("document.querySelector('[data-station=views]')?.dataset.state === 'ok'").await;
    stack.stack.kill(Service::Projector).expect("killed");
    browser.until("document.querySelector('[data-station=views]').dataset.state === 'stop'").await;
    browser.until(&format!("{}.includes('silent for')", text_of("[data-station=views]"))).await;
    browser.until("document.querySelectorAll('.partition-row.dead').length > 3").await;
    browser.picture("console-pipeline-dead-desktop-light").await;
    it_is_legible(browser).await;
}
