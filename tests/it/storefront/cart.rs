//! The cart in the storefront: filled by a guest, taken along at sign-in, by keyboard and on a phone.

use super::{fill, it_is_legible, no_sideways_scrolling};
use acceptance::{
    browser::{Browser, keys},
    shop::Shop,
    shopper::{PASSWORD, Shopper},
    stack::TestStack,
};
use reqwest::Method;
use serde_json::json;

const EMAIL: &str = "ana@example.com";
const COUNT: &str = "document.getElementById('cart-count').textContent";

async fn shows(browser: &Browser, text: &str) {
    browser.until(&format!("document.getElementById('cart-view').innerText.includes({})", json!(text))).await;
}

/// The shop sends to two countries, the first at 19 % within the price.
pub(super) async fn decide(shop: &Shop) {
    let areas = json!([{"country": "DE"}]);
    let zone = json!({"areas": areas, "mode": "inclusive", "rates": [
        {"class": "standard", "jurisdiction": "DE", "title": "VAT 19 %", "rate_ppm": 190_000},
    ]});
    let method = |title: &str, areas: serde_json::Value, amount: i64, position: i32| {
        json!({"title": title, "areas": areas, "days_least": 2, "days_most": 4, "position": position,
            "prices": [{"currency": "USD", "tiers": [{"amount": amount}]}]})
    };
    shop.command(Method::PUT, "/v1/settings/tax-zones/germany", None, &zone).await;
    let near = method("Parcel", json!([{"country": "DE"}, {"country": "AT"}]), 499, 1);
    shop.command(Method::PUT, "/v1/settings/shipping-methods/parcel", None, &near).await;
    let quick = method("Express", json!([{"country": "DE"}]), 1_299, 2);
    shop.command(Method::PUT, "/v1/settings/shipping-methods/express", None, &quick).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_filled_by_a_guest_and_taken_along() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "bazaar").await;
    let token = fill(&shop).await;
    decide(&shop).await;
    let read = shop.read("/v1/search?limit=0", Some(&token)).await;
    assert!(read.fresh, "{read:?}");
    Shopper::sign_up(&stack, &shop, EMAIL).await;
    let origin = format!("http://bazaar.localhost:{}", stack.stack.settings.query_listen.port());
    browser.prefer("light").await;
    browser.screen(1_360, 900).await;

    goods_are_put_in(&browser, &origin).await;
    pieces_are_changed(&browser).await;
    a_code_is_tried(&browser).await;
    it_is_sent_somewhere(&browser).await;
    it_is_looked_at(&browser, &origin).await;
    it_is_taken_along(&browser, &origin).await;
    let complaints = browser.complaints().await;
    // The browser itself complains of each refused request.
    let real: Vec<&String> = complaints.iter().filter(|one| !one.contains("status of 4")).collect();
    assert!(real.is_empty(), "{real:?}");
}

async fn goods_are_put_in(browser: &Browser, origin: &str) {
    browser.open(&format!("{origin}/?cart")).await;
    shows(browser, "Your cart is empty").await;
    browser.open(&format!("{origin}/?p=headphones-0")).await;
    browser.until("document.querySelector('.adder button')").await;
    assert_eq!(browser.value("document.getElementById('cart-count').hidden").await, true);
    browser.click(".adder button").await;
    browser.until(&format!("{COUNT} === '1'")).await;
    browser.open(&format!("{origin}/?p=headphones-1")).await;
    browser.until("document.querySelector('.adder button')").await;
    browser.value("document.querySelector('.adder input').value = ''").await;
    browser.keys(".adder input", "2").await;
    browser.click(".adder button").await;
    browser.until(&format!("{COUNT} === '3'")).await;
    browser.picture("storefront-product-adder-desktop-light").await;
    // Nobody has signed in: the browser finds the cart again by a guest's token.
    browser.reload().await;
    browser.until(&format!("{COUNT} === '3'")).await;
    browser.click("#cart").await;
    shows(browser, "What it costs").await;
    shows(browser, "$70.00").await;
}

async fn pieces_are_changed(browser: &Browser) {
    browser.click(".cart-line:last-child [aria-label^='More']").await;
    browser.until(&format!("{COUNT} === '4'")).await;
    shows(browser, "$95.00").await;
    // Whoever pressed the button stands on it again.
    assert_eq!(browser.value("document.activeElement.textContent").await, "+");
    browser.click(".cart-line:first-child [aria-label^='Take']").await;
    browser.until(&format!("{COUNT} === '3'")).await;
    browser.until("document.querySelectorAll('.cart-line').length === 1").await;
}

async fn a_code_is_tried(browser: &Browser) {
    browser.keys("form[aria-label='Code'] input", &format!("nothing-of-ours{}", keys::ENTER)).await;
    shows(browser, "NOTHING-OF-OURS").await;
    browser.click(".cart-codes button").await;
    browser.until("document.querySelector('.cart-codes') === null").await;
}

async fn it_is_sent_somewhere(browser: &Browser) {
    browser.value("document.querySelector(\"form[aria-label='Where it goes'] select\").value = 'DE'").await;
    browser.keys("form[aria-label='Where it goes'] input", &format!("10117{}", keys::ENTER)).await;
    browser.until("document.querySelector('[data-key=\"way parcel\"]')").await;
    browser.click("[data-key='way parcel']").await;
    // 75.00 and 4.99, with 19 % in both.
    shows(browser, "$79.99").await;
    shows(browser, "$12.77").await;
    browser.until("document.querySelector('[data-key=\"way parcel\"]')?.checked").await;
}

async fn it_is_looked_at(browser: &Browser, origin: &str) {
    for (scheme, width, height, name) in [
        ("light", 1_360, 900, "cart-desktop-light"),
        ("dark", 1_360, 900, "cart-desktop-dark"),
        ("light", 390, 844, "cart-phone-light"),
        ("dark", 390, 844, "cart-phone-dark"),
    ] {
        browser.prefer(scheme).await;
        browser.screen(width, height).await;
        browser.open(&format!("{origin}/?cart")).await;
        browser.until("document.querySelector('[data-key=\"way parcel\"]')?.checked").await;
        browser.picture(name).await;
        it_is_legible(browser).await;
        no_sideways_scrolling(browser).await;
    }
    browser.prefer("light").await;
}

/// What the guest had is in the customer's cart after signing in, and stays there after signing out.
async fn it_is_taken_along(browser: &Browser, origin: &str) {
    browser.open(&format!("{origin}/?account=sign-in")).await;
    let field = |name: &str| format!("form[aria-label='Sign in'] [data-field={name}] input");
    browser.until(&format!("document.querySelector({})", json!(field("email")))).await;
    browser.keys(&field("email"), EMAIL).await;
    browser.keys(&field("password"), &format!("{PASSWORD}{}", keys::ENTER)).await;
    browser.until("document.getElementById('account-view').innerText.includes('ana@example.com')").await;
    browser.until("localStorage.getItem('souk-guest') === null").await;
    browser.until(&format!("{COUNT} === '3'")).await;
    browser.click("#cart").await;
    shows(browser, "$75.00").await;
    browser.click("#account").await;
    let leave = "[...document.querySelectorAll('#account-view button')].find((one) => one.textContent === 'Sign out')";
    browser.until(leave).await;
    browser.value(&format!("{leave}.click()")).await;
    browser.until(&format!("{COUNT} === ''")).await;
}
