//! Signing in to the console with an account.

use super::{it_is_legible, text_of};
use acceptance::{
    browser::{Browser, keys},
    shop::Shop,
    shopper::{PASSWORD, Shopper, code_now},
    stack::TestStack,
};
use reqwest::Method;
use serde_json::json;

const EMAIL: &str = "ana@example.com";

async fn type_in(browser: &Browser, password: &str) {
    browser.until("document.querySelector('[data-field=shop] input')?.value === 'clocks'").await;
    browser.keys("[data-field=email] input", EMAIL).await;
    browser.keys("[data-field=password] input", &format!("{password}{}", keys::ENTER)).await;
}

/// A shopper has an account, and no part in running the shop.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_role_is_let_in_nowhere() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "clocks").await;
    Shopper::sign_up(&stack, &shop, EMAIL).await;
    browser.prefer("dark").await;
    browser.screen(390, 844).await;
    let console = format!("http://clocks.localhost:{}/console", stack.stack.settings.query_listen.port());
    browser.open(&console).await;
    type_in(&browser, "another-password-1").await;
    browser.until(&format!("{}.includes('No account here')", text_of(".form-told"))).await;
    browser.picture("console-sign-in-phone-dark").await;
    it_is_legible(&browser).await;
    browser.value("document.querySelector('[data-field=email] input').value = ''").await;
    browser.value("document.querySelector('[data-field=password] input').value = ''").await;
    type_in(&browser, PASSWORD).await;
    browser.until(&format!("{}.includes('This account is neither')", text_of("main"))).await;
    assert_eq!(browser.value("document.querySelectorAll('.tab').length").await, 0);
    it_is_legible(&browser).await;
    browser.open(&format!("{console}#/account")).await;
    browser.until(&format!("{}.includes('{EMAIL}')", text_of("main"))).await;
    browser.picture("console-account-phone-dark").await;
    it_is_legible(&browser).await;
    browser.click("#leave").await;
    browser.until("document.querySelector('[data-field=email] input')").await;
    assert_eq!(browser.value("sessionStorage.length").await, 0, "nothing of the session is left");
}

/// The way of an administrator: invited, a password, an authenticator, recovery codes, the console; out, and in again.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_invited_and_sets_up_one_time_codes() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start(false).await;
    let home = Shop::open(&stack, "installation").await;
    let email = "root@installation.example";
    let asked = json!({"email": email, "role": "admin", "mail": false});
    let invitation = home.command(Method::POST, "/v1/invitations", None, &asked).await;
    let code = invitation["code"].as_str().expect("a code");
    let console = format!("{}/console", stack.query_url());
    browser.screen(1_440, 900).await;
    browser.open(&format!("{console}#invitation={code}&shop=installation")).await;
    browser.until(&format!("{}.includes('installation')", text_of(".sign-in"))).await;
    let password = format!("{PASSWORD}{}", keys::ENTER);
    browser.keys("[data-field=password] input", &password).await;
    let sign_in = async || {
        browser.until("document.querySelector('[data-field=shop] input')?.value === 'installation'").await;
        browser.keys("[data-field=email] input", email).await;
        browser.keys("[data-field=password] input", &password).await;
    };
    sign_in().await;
    browser.until(&format!("{}.includes('authenticator app')", text_of("main"))).await;
    browser.picture("console-second-factor-desktop-light").await;
    it_is_legible(&browser).await;
    browser.keys("[data-field=password] input", &password).await;
    browser.until("document.querySelector('.secret code')").await;
    let secret = browser.value("document.querySelector('.secret code').textContent.replaceAll(' ', '')").await;
    browser.picture("console-second-factor-secret-desktop-light").await;
    let code = code_now(secret.as_str().expect("a secret"));
    browser.keys("[data-field=code] input", &format!("{code}{}", keys::ENTER)).await;
    browser.until("document.querySelectorAll('.recovery li').length === 10").await;
    browser.picture("console-recovery-codes-desktop-light").await;
    it_is_legible(&browser).await;
    let recovery = browser.value("document.querySelector('.recovery li code').textContent").await;
    browser.click("[data-key=kept]").await;
    browser.until("document.querySelectorAll('.station').length === 7").await;
    browser.click("#leave").await;
    sign_in().await;
    browser.until("document.querySelector('[data-field=code]')?.hidden === false").await;
    let recovery = recovery.as_str().expect("a code");
    browser.keys("[data-field=code] input", &format!("{recovery}{}", keys::ENTER)).await;
    browser.until("document.querySelectorAll('.station').length === 7").await;
}

/// An invitation is taken out of the address before anything else.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_asks_for_a_password_and_leaves_no_trace() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start(false).await;
    browser.screen(1_440, 900).await;
    browser.open(&format!("{}/console#invitation=a-code&shop=clocks", stack.query_url())).await;
    browser.until(&format!("{}.includes('the shop “clocks”')", text_of(".sign-in"))).await;
    assert_eq!(browser.value("location.hash").await, "");
    assert_eq!(browser.value("document.querySelector('[data-field=shop]').hidden").await, true);
    browser.picture("console-invitation-desktop-light").await;
    it_is_legible(&browser).await;
}
