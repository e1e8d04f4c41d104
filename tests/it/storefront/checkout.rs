//! The checkout in the storefront: a guest orders by keyboard, agrees on a new price, pays in another way, and sees the order.

use super::{cart::decide, fill, it_is_legible, no_sideways_scrolling};
use acceptance::{
    browser::{Browser, keys},
    builders::price_line,
    shop::Shop,
    stack::TestStack,
};
use reqwest::Method;
use serde_json::json;

async fn shows(browser: &Browser, text: &str) {
    browser.until(&format!("document.getElementById('checkout-view').innerText.includes({})", json!(text))).await;
}

fn field(name: &str) -> String {
    format!("form[aria-label='Checkout'] [data-field={name}] input")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_orders_and_sees_what_becomes_of_it() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "souk-lane").await;
    let token = fill(&shop).await;
    decide(&shop).await;
    let policy = json!({
        "home": {"country": "DE"}, "time_zone": "UTC", "prices": "inclusive", "cart_days": 7, "payment_attempts": 3, "order_prefix": "SO-",
        "payments": [{"method": "transfer", "deadline_minutes": 60}, {"method": "cash_on_delivery", "deadline_minutes": 60}],
    });
    shop.command(Method::PUT, "/v1/settings/policy", None, &policy).await;
    let read = shop.read("/v1/search?limit=0", Some(&token)).await;
    assert!(read.fresh, "{read:?}");
    let origin = format!("http://souk-lane.localhost:{}", stack.stack.settings.query_listen.port());
    browser.prefer("light").await;
    browser.screen(1_360, 900).await;

    a_cart_is_sent_to_berlin(&browser, &origin).await;
    what_is_missing_is_told_at_its_field(&browser).await;
    a_new_price_is_agreed_on(&browser, &shop).await;
    it_is_looked_at(&browser, "checkout-transfer").await;
    it_is_paid_in_another_way(&browser).await;
    it_is_looked_at(&browser, "checkout-order").await;
    let complaints = browser.complaints().await;
    // The browser itself complains of each refused request.
    let real: Vec<&String> = complaints.iter().filter(|one| !one.contains("status of 4")).collect();
    assert!(real.is_empty(), "{real:?}");
}

async fn a_cart_is_sent_to_berlin(browser: &Browser, origin: &str) {
    browser.open(&format!("{origin}/?p=headphones-0")).await;
    browser.until("document.querySelector('.adder button')").await;
    browser.click(".adder button").await;
    browser.until("document.getElementById('cart-count').textContent === '1'").await;
    browser.click("#cart").await;
    browser.until("document.querySelector(\"form[aria-label='Where it goes'] select\")").await;
    browser.keys("form[aria-label='Where it goes'] input", &format!("10117{}", keys::ENTER)).await;
    browser.until("document.querySelector('[data-key=\"way parcel\"]')").await;
    browser.click("[data-key='way parcel']").await;
    browser.until("document.getElementById('cart-view').innerText.includes('$24.99')").await;
    browser.value("[...document.querySelectorAll('.cart-side button')].find((one) => one.textContent === 'Check out').click()").await;
    shows(browser, "$24.99 in all").await;
    for (scheme, width, height, name) in
        [("light", 1_360, 900, "checkout-desktop-light"), ("dark", 390, 844, "checkout-phone-dark")]
    {
        browser.prefer(scheme).await;
        browser.screen(width, height).await;
        browser.picture(name).await;
        it_is_legible(browser).await;
        no_sideways_scrolling(browser).await;
    }
    browser.prefer("light").await;
    browser.screen(1_360, 900).await;
}

async fn what_is_missing_is_told_at_its_field(browser: &Browser) {
    browser.keys(&field("email"), "ana@nowhere").await;
    browser.keys(&field("name"), "Ana Ruiz").await;
    browser.keys(&field("line1"), "Unter den Linden 1").await;
    browser.keys(&field("city"), &format!("Berlin{}", keys::ENTER)).await;
    browser
        .until(
            "document.activeElement.name === 'email' && document.activeElement.getAttribute('aria-invalid') === 'true'",
        )
        .await;
    browser.value("document.activeElement.value = ''").await;
    browser.keys(&field("email"), "ana@example.com").await;
}

/// While the shopper types, the price goes up: nothing is ordered until they have seen it.
async fn a_new_price_is_agreed_on(browser: &Browser, shop: &Shop) {
    shop.bulk_all("prices", &[price_line("p-0", 2_500)]).await;
    browser.keys(&field("city"), keys::ENTER).await;
    shows(browser, "It costs $29.99 now, not $24.99.").await;
    shows(browser, "$29.99 in all").await;
    browser.keys(&field("city"), keys::ENTER).await;
    shows(browser, "Transfer $29.99 to the shop").await;
}

async fn it_is_paid_in_another_way(browser: &Browser) {
    let way = "form[aria-label='Pay in another way'] select";
    browser.value(&format!("document.querySelector(\"{way}\").value = 'cash_on_delivery'")).await;
    browser.value("document.querySelector(\"form[aria-label='Pay in another way']\").requestSubmit()").await;
    shows(browser, "Thank you").await;
    shows(browser, "Your order SO-1 is confirmed").await;
    shows(browser, "$29.99").await;
    // Whoever has no account sees it again in this tab.
    browser.reload().await;
    shows(browser, "Your order SO-1 is confirmed").await;
    browser.until("document.getElementById('cart-count').textContent === ''").await;
}

async fn it_is_looked_at(browser: &Browser, name: &str) {
    for (scheme, width, height) in [("light", 1_360, 900), ("dark", 390, 844)] {
        browser.prefer(scheme).await;
        browser.screen(width, height).await;
        browser.picture(&format!("{name}-{scheme}")).await;
        it_is_legible(browser).await;
        no_sideways_scrolling(browser).await;
    }
    browser.prefer("light").await;
    browser.screen(1_360, 900).await;
}
