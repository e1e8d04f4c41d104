//! The storefront in a real browser: what a shopper types, chooses and opens, on a desk and on a phone.

mod account;
mod cart;
mod checkout;

use acceptance::{
    browser::{Browser, keys},
    builders::{price_line, product_line, stock_line},
    shop::Shop,
    stack::TestStack,
};
use reqwest::Method;
use serde_json::json;

const HOSTILE: &str = "<img src=x onerror=\"document.title='taken over'\"> tag & <b>co</b> headphones";
const UNREACHABLE: &str = "https://127.0.0.1:1/picture.png";
/// Hits shown, and the number in the heading.
const CARDS: &str = "document.querySelectorAll('#cards .card:not(.skeleton)').length";
const TOTAL: &str = "Number(document.querySelector('#count strong')?.textContent.replace(/\\D/g, '') ?? -1)";
const AT_REST: &str = "!document.querySelector('#cards').hasAttribute('aria-busy')";

/// Thirty headphones and six speakers of three brands, from 20 to 195 dollars, and one whose name is HTML.
async fn fill(shop: &Shop) -> String {
    let category = |id: &str, name: &str, parent: Option<&str>| json!({"external_id": id, "name": name, "slug": id, "parent": parent});
    let mut categories = vec![category("audio", "Audio", None), category("toys", "Toys", None)];
    categories.push(category("headphones", "Headphones", Some("audio")));
    categories.push(category("speakers", "Speakers", Some("audio")));
    shop.bulk_all("categories", &categories).await;
    let (mut products, mut prices, mut stock) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..36 {
        let (id, brand) = (format!("p-{number}"), ["Nimbus", "Corvid", "Halyard"][number % 3]);
        let kind = if number % 6 == 5 { "speakers" } else { "headphones" };
        let colour = ["black", "red", "sand", "olive"][number / 3 % 4];
        let driver = 30 + number % 3 * 10;
        let mut line = product_line(&id, &format!("{brand} wireless {kind} {number:02}"));
        line["brand"] = json!(brand);
        line["slug"] = json!(format!("{kind}-{number}"));
        line["categories"] = json!([kind]);
        line["product_type"] = json!(kind);
        line["attributes"] =
            json!({"colour": colour, "weight_g": 180 + number * 5, "driver_mm": driver, "foldable": number % 2 == 0});
        products.push(line);
        prices.push(price_line(&id, 2_000 + i64::try_from(number).expect("a number") * 500));
        stock.push(stock_line(&id, if number % 9 == 8 { 0 } else { 12 }));
    }
    let mut hostile = product_line("hostile", HOSTILE);
    hostile["slug"] = json!("hostile");
    hostile["categories"] = json!(["toys"]);
    hostile["description"] = json!("<p>Sounds <i>good</i></p><script>document.title = 'taken over'</script>");
    hostile["images"] = json!([{"url": UNREACHABLE}]);
    products.push(hostile);
    let tokens = [
        shop.bulk_all("products", &products).await,
        shop.bulk_all("prices", &prices).await,
        shop.bulk_all("stock", &stock).await,
    ];
    tokens.join(",")
}

async fn number(browser: &Browser, expression: &str) -> i64 {
    browser.value(expression).await.as_i64().unwrap_or(-1)
}

fn element(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_finds_what_they_want() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "bazaar").await;
    let token = fill(&shop).await;
    let read = shop.read("/v1/search?limit=0", Some(&token)).await;
    assert!(read.fresh, "{read:?}");
    let start = format!("http://bazaar.localhost:{}/?", stack.stack.settings.query_listen.port());
    browser.prefer("light").await;
    browser.screen(1_360, 900).await;

    browser.open(&start).await;
    browser.until(&format!("{CARDS} === 24 && {TOTAL} === 37")).await;
    typing_shows_products_and_suggestions(&browser).await;
    facets_narrow_as_they_predict(&browser, &start).await;
    prices_narrow(&browser, &start).await;
    a_product_opens_survives_a_reload_and_leads_back(&browser, &start).await;
    hits_explain_themselves(&browser, &start).await;
    what_the_answer_says_is_shown(&browser, &shop, &start).await;
    more_is_loaded_and_stays(&browser, &start).await;
    html_in_a_title_is_text(&browser, &start).await;
    it_is_shown_in_the_dark_and_on_a_phone(&browser, &start).await;
    let complaints = browser.complaints().await;
    let real: Vec<&String> = complaints
        .iter()
        .filter(|complaint| !complaint.contains(UNREACHABLE) && !complaint.contains("nobody.localhost"))
        .collect();
    assert!(real.is_empty(), "{real:?}");
}

async fn typing_shows_products_and_suggestions(browser: &Browser) {
    browser.keys("#q", "wirel").await;
    browser.until(&format!("{TOTAL} === 36 && location.search.includes('q=wirel')")).await;
    browser.until(&element("#cards .title mark")).await;
    browser.until("document.querySelectorAll('#suggestions [role=option]').length > 2").await;
    assert_eq!(browser.value("document.getElementById('q').getAttribute('aria-expanded')").await, "true");
    browser.keys("#q", keys::DOWN).await;
    let chosen = browser.until("document.querySelector('#suggestions [aria-selected=true]')?.textContent").await;
    let active =
        "document.getElementById(document.getElementById('q').getAttribute('aria-activedescendant'))?.textContent";
    assert_eq!(browser.value(active).await, chosen);
    browser.picture("suggestions-desktop-light").await;
    it_is_legible(browser).await;
    browser.keys("#q", keys::ENTER).await;
    browser
        .until(&format!(
            "document.getElementById('q').value === {chosen} && document.getElementById('suggestions').hidden"
        ))
        .await;
    browser.until(&format!("{TOTAL} === 36 && {AT_REST}")).await;
}

/// The number of hits that choosing a value promises.
async fn predicted(browser: &Browser, selector: &str) -> i64 {
    let found = browser.until(&format!("{}?.dataset.predicted", element(selector))).await;
    found.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| unreachable!("{selector}: {found}"))
}

async fn facets_narrow_as_they_predict(browser: &Browser, start: &str) {
    browser.open(&format!("{start}&q=headphones")).await;
    browser.until(&format!("{TOTAL} === 31")).await;
    let first = "[data-field='brand'] [data-key='value brand Nimbus']";
    let promised = predicted(browser, first).await;
    browser.click(first).await;
    browser.until(&format!("{TOTAL} === {promised}")).await;
    assert_eq!(promised, 12);
    // Another brand adds to the first.
    let second = "[data-field='brand'] [data-key='value brand Corvid']";
    browser.until(&format!("{}.closest('label').querySelector('.impact')", element(second))).await;
    let promised = predicted(browser, second).await;
    let impact = format!("{}.closest('label').querySelector('.impact').textContent", element(second));
    assert_eq!(browser.value(&impact).await, format!("+{}", promised - 12));
    browser.click(second).await;
    browser.until(&format!("{TOTAL} === {promised}")).await;
    let colour = "[data-field='attr.colour'] [data-key='value attr.colour red']";
    let promised = predicted(browser, colour).await;
    browser.click(colour).await;
    browser.until(&format!("{TOTAL} === {promised} && location.search.includes('attr.colour=red')")).await;
    assert_eq!(number(browser, "document.querySelectorAll('#chips .chip').length").await, 3);
    browser.until(&format!("{}.checked", element(colour))).await;
    browser.value("scrollTo(0, 0)").await;
    browser.picture("filtered-desktop-light").await;
    it_is_legible(browser).await;
    browser.click("#chips .link").await;
    browser.until(&format!("{TOTAL} === 31 && document.getElementById('chips').hidden")).await;
    browser.back().await;
    browser.until(&format!("{TOTAL} === {promised}")).await;
    // A number that is chosen like a word, in an address somebody sent.
    browser.open(&format!("{start}&q=headphones&attr.driver_mm=40")).await;
    browser.until(&format!("{TOTAL} === 12")).await;
    let other = "[data-key='value attr.driver_mm 30']";
    let promised = predicted(browser, other).await;
    assert_eq!(promised, 24);
    browser.click(other).await;
    browser.until(&format!("{TOTAL} === 24 && location.search.includes('attr.driver_mm=40&attr.driver_mm=30')")).await;
}

async fn prices_narrow(browser: &Browser, start: &str) {
    browser.open(start).await;
    let bar = "[data-field='price'] .column:not(:disabled)";
    let promised = predicted(browser, bar).await;
    browser.click(bar).await;
    browser.until(&format!("{TOTAL} === {promised} && {}.getAttribute('aria-pressed') === 'true'", element(bar))).await;
    browser.click(bar).await;
    browser.until(&format!("{TOTAL} === 37")).await;
    let bound = |end: &str| format!("[data-field='price'] input[name={end}]");
    browser.keys(&bound("to"), &format!("50{}", keys::ENTER)).await;
    // 20.00, 20.50 … 50.00 in steps of five dollars.
    browser.until(&format!("{TOTAL} === 7 && location.search.includes('price=..5000')")).await;
    browser.keys(&bound("from"), &format!("30{}", keys::ENTER)).await;
    browser.until(&format!("{TOTAL} === 5")).await;
    let cheapest = "[...document.querySelectorAll('#cards .price strong')].every((price) => Number(price.textContent.slice(1)) >= 30)";
    assert_eq!(browser.value(cheapest).await, true);
}

async fn a_product_opens_survives_a_reload_and_leads_back(browser: &Browser, start: &str) {
    browser.open(&format!("{start}&q=speakers&brand=Halyard")).await;
    browser.until(&format!("{TOTAL} === 6 && {AT_REST}")).await;
    browser.value("scrollTo(0, 120)").await;
    let title = browser.value("document.querySelector('#cards .title a').textContent").await;
    browser.click("#cards .title a").await;
    let heading = format!("document.querySelector('#product-view h1')?.textContent === {title}");
    browser.until(&heading).await;
    browser.until("new URLSearchParams(location.search).get('p')?.startsWith('speakers-')").await;
    browser.until("document.querySelectorAll('#similar .card').length > 0").await;
    browser.picture("product-desktop-light").await;
    it_is_legible(browser).await;
    browser.reload().await;
    browser.until(&heading).await;
    let shown = browser.value("document.querySelector('#product-view').innerText").await.to_string();
    for text in ["SKU-p-", "Weight", "How fresh this is", "Audio"] {
        assert!(shown.contains(text), "{text} in {shown}");
    }
    browser.back().await;
    browser.until(&format!("{TOTAL} === 6 && document.getElementById('q').value === 'speakers'")).await;
    browser.until("document.querySelector('#chips .chip')?.textContent === 'Brand: Halyard'").await;
}

async fn hits_explain_themselves(browser: &Browser, start: &str) {
    browser.open(&format!("{start}&q=nimbus+headphones")).await;
    browser.until(&format!("{CARDS} > 0 && {AT_REST}")).await;
    browser.click("#cards .explain").await;
    browser.until("document.querySelectorAll('#sheet[open] .scores tbody tr').length > 1").await;
    browser.picture("explanation-desktop-light").await;
    it_is_legible(browser).await;
    browser.click("#sheet [data-close]").await;
    browser.until("!document.getElementById('sheet').open").await;
    browser.click("#why").await;
    browser.keys(".why-form input", &format!("p-4{}", keys::ENTER)).await;
    browser.until("document.querySelectorAll('.checks .fails').length > 0 || document.querySelector('.verdict')").await;
    browser.keys(".why-form input", keys::ESCAPE).await;
    browser.until("!document.getElementById('sheet').open").await;
}

async fn what_the_answer_says_is_shown(browser: &Browser, shop: &Shop, start: &str) {
    browser.open(&format!("{start}&q=wireles+speakers+under+60")).await;
    let notices = "document.getElementById('notices').innerText";
    browser.until(&format!("{notices}.includes('Showing results for wireless speakers under 60.')")).await;
    // One word of two is enough here: from 20 to 60 dollars in steps of five.
    browser.until(&format!("{TOTAL} === 9")).await;
    browser.picture("understood-desktop-light").await;
    it_is_legible(browser).await;
    browser.click("#notices [aria-label='Remove up to $60.00 from the search']").await;
    browser.until(&format!("{TOTAL} === 36 && document.getElementById('q').value === 'wireles speakers'")).await;
    browser.open(&format!("{start}&q=halyard+zebra")).await;
    browser
        .until(&format!(
            "{notices}.includes('Few or no products have both words; those with 1 of them are shown as well.')"
        ))
        .await;

    let rule = json!({
        "enabled": true, "priority": 1, "when": {"query": {"match": "is", "text": "sale"}},
        "then": [{"type": "banner", "id": "sale", "text": "Speakers, while they last", "link_url": "/?q=speakers"}],
    });
    let made = shop.command(Method::PUT, "/v1/merchandising/rules/sale", None, &rule).await;
    shop.search("sale", made["token"].as_str().expect("a token")).await;
    browser.open(&format!("{start}&q=sale")).await;
    browser.until("document.querySelector('.banner a')?.textContent.startsWith('Speakers, while they last')").await;
    browser.click(".banner a").await;
    browser.until(&format!("{TOTAL} === 6")).await;

    browser.open(&start.replace("bazaar", "nobody")).await;
    browser.until("document.querySelector('.state')?.innerText.includes('No tenant `nobody` is known here.')").await;
}

async fn more_is_loaded_and_stays(browser: &Browser, start: &str) {
    browser.open(&format!("{start}&sort=-price")).await;
    browser.until(&format!("{CARDS} === 24 && {AT_REST}")).await;
    browser.click("#more button").await;
    browser.until(&format!("{CARDS} === 37 && location.search.includes('page=2')")).await;
    browser.reload().await;
    browser.until(&format!("{CARDS} === 37")).await;
    let first = "document.querySelector('#cards .price strong').textContent";
    assert_eq!(browser.value(first).await, "$195.00");
    // The way back leads to where one was.
    browser.click("#cards .card:nth-child(36) .title a").await;
    browser.until("document.querySelector('#product-view h1')").await;
    browser.back().await;
    browser.until(&format!("{CARDS} === 37 && scrollY > 900")).await;
    assert_eq!(browser.value("document.activeElement.closest('.card') !== null").await, true);
}

async fn html_in_a_title_is_text(browser: &Browser, start: &str) {
    browser.open(&format!("{start}&q=tag+co")).await;
    browser.until(&format!("{CARDS} > 0 && {AT_REST}")).await;
    let title = "document.querySelector('#cards [data-slug=hostile] .title').textContent";
    assert_eq!(browser.until(title).await, HOSTILE);
    // Its picture can't be loaded: the drawn one is left.
    browser.until("!document.querySelector('#cards [data-slug=hostile] img')").await;
    assert_eq!(browser.value("document.querySelectorAll('#cards [data-slug=hostile] svg.drawn').length").await, 1);
    browser.click("#cards [data-slug=hostile] .title a").await;
    assert_eq!(browser.until("document.querySelector('#product-view h1')?.textContent").await, HOSTILE);
    let description = browser.until("document.querySelector('.description')?.textContent").await;
    assert!(
        description.as_str().is_some_and(|text| text.starts_with("Sounds good") && !text.contains('<')),
        "{description}"
    );
    assert_ne!(browser.value("document.title").await, "taken over");
    assert_eq!(browser.value("document.querySelectorAll('main script, main b, main i').length").await, 0);
}

/// Enough contrast, a name for every control, no id twice.
async fn it_is_legible(browser: &Browser) {
    let found = browser.value(include_str!("storefront/legible.js").trim_end().trim_end_matches(';')).await;
    assert_eq!(found, json!([]), "{}", browser.value("location.href").await);
}

async fn no_sideways_scrolling(browser: &Browser) {
    let widths = browser.value("[document.documentElement.scrollWidth, innerWidth]").await;
    assert_eq!(widths[0], widths[1], "{}", browser.value("location.href").await);
}

async fn it_is_shown_in_the_dark_and_on_a_phone(browser: &Browser, start: &str) {
    let search = format!("{start}&q=wireless+headphones");
    let rested = format!("{CARDS} > 0 && {AT_REST} && document.querySelector('#facets .facet')");
    browser.open(&search).await;
    browser.until(&rested).await;
    let ground = "getComputedStyle(document.body).backgroundColor";
    let light = browser.value(ground).await;
    browser.picture("search-desktop-light").await;
    it_is_legible(browser).await;
    browser.click("#theme").await;
    browser.until("document.documentElement.dataset.theme === 'dark'").await;
    assert_ne!(browser.value(ground).await, light);
    browser.picture("search-desktop-dark").await;
    it_is_legible(browser).await;
    browser.reload().await;
    browser.until(&format!("{rested} && document.documentElement.dataset.theme === 'dark'")).await;

    for (width, height) in [(390, 844), (320, 640)] {
        browser.screen(width, height).await;
        for address in [start, &search, &format!("{start}&p=speakers-5"), &format!("{start}&p=hostile")] {
            browser.open(address).await;
            browser.until("document.querySelector('#product-view h1') || document.querySelector('#cards .card:not(.skeleton)')").await;
            no_sideways_scrolling(browser).await;
            it_is_legible(browser).await;
        }
    }
    browser.screen(390, 844).await;
    browser.open(&search).await;
    browser.until(&rested).await;
    browser.picture("search-phone-dark").await;
    it_is_legible(browser).await;
    browser.click("#theme").await;
    browser.picture("search-phone-light").await;
    browser.click("#filters-button").await;
    browser.until("document.querySelector('#drawer[open] [data-field=brand]')").await;
    browser.picture("filters-phone-light").await;
    it_is_legible(browser).await;
    let promised = predicted(browser, "#drawer [data-key='value brand Nimbus']").await;
    browser.click("#drawer [data-key='value brand Nimbus']").await;
    browser.until(&format!("{TOTAL} === {promised}")).await;
    browser.until(&format!("document.getElementById('drawer-show').textContent === 'Show {promised} products'")).await;
    browser.click("#drawer-show").await;
    browser
        .until(
            "!document.getElementById('drawer').open && document.getElementById('filters-badge').textContent === '1'",
        )
        .await;
    no_sideways_scrolling(browser).await;
}
