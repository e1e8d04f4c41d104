//! The account of a shopper in the storefront: from signing up to being erased, by keyboard and on a phone.

use super::{it_is_legible, no_sideways_scrolling};
use acceptance::{
    browser::{Browser, keys},
    eventually::eventually,
    oidc_stand_in::{Algorithm, CLIENT_ID, CLIENT_SECRET, OidcStandIn, Person},
    shop::{PATIENCE, Shop},
    shopper::{PASSWORD, code_of, mail_to},
    stack::TestStack,
};
use reqwest::Method;
use serde_json::json;

const EMAIL: &str = "ana@example.com";
const OTHER: &str = "kettle-9-quartz";

/// A field of a form, by the form's label and the field's name.
fn field(form: &str, name: &str) -> String {
    format!("form[aria-label='{form}'] [data-field={name}] :is(input, select)")
}

/// Empties a field and types into it.
async fn type_in(browser: &Browser, form: &str, name: &str, text: &str) {
    let field = field(form, name);
    browser.until(&format!("document.querySelector({})", json!(field))).await;
    browser.value(&format!("document.querySelector({}).value = ''", json!(field))).await;
    browser.keys(&field, text).await;
}

async fn submit(browser: &Browser, form: &str) {
    browser.click(&format!("form[aria-label='{form}'] button[type=submit]")).await;
}

async fn shows(browser: &Browser, text: &str) {
    browser.until(&format!("document.getElementById('account-view').innerText.includes({})", json!(text))).await;
}

async fn signs_in(browser: &Browser, password: &str) {
    type_in(browser, "Sign in", "email", EMAIL).await;
    type_in(browser, "Sign in", "password", &format!("{password}{}", keys::ENTER)).await;
}

/// There and back: the page keeps the state, and takes no answer to a question that it has not asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_signs_in_by_a_provider() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start_with(false, |settings| settings.local_issuers = true).await;
    let shop = Shop::open(&stack, "bazaar").await;
    let origin = format!("http://bazaar.localhost:{}", stack.stack.settings.query_listen.port());
    let provider = OidcStandIn::start(Algorithm::Rs256).expect("a provider");
    provider.allow(&format!("{origin}/?account=provider"));
    provider.let_in(Person::verified("ana-at-acme", EMAIL));
    let agreed = json!({
        "name": "Acme", "issuer": provider.issuer(), "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
    });
    let set = shop.command(Method::PUT, "/v1/identity-providers/acme", None, &agreed).await;
    shop.command(Method::PUT, "/v1/origins", None, &json!({"origins": [origin]})).await;
    eventually("the page may be come back to, and the read side knows the provider", PATIENCE, || async {
        let asked = json!({"provider": "acme", "return_to": format!("{origin}/?account=provider")});
        let key = shop.with_key(&shop.key("search", &[]).await.1);
        let begun = key.request(Method::POST, "/v1/sessions/oidc").json(&asked).send().await.expect("an answer");
        let read = shop.read("/v1/identity-providers", set["token"].as_str()).await;
        if begun.status() == 201 && read.fresh { Ok(()) } else { Err(format!("{begun:?} {read:?}")) }
    })
    .await;
    browser.screen(390, 844).await;
    browser.open(&format!("{origin}/?account=sign-in")).await;
    browser.until("document.querySelector('[data-provider=acme]')").await;
    browser.picture("storefront-sign-in-provider-phone-light").await;
    it_is_legible(&browser).await;
    browser.click("[data-provider=acme]").await;
    shows(&browser, EMAIL).await;
    assert_eq!(browser.value("location.search").await, "?account=me", "nothing of the answer stays in the address");
    browser.open(&format!("{origin}/?account=provider&code=of-a-stranger&state=of-a-stranger")).await;
    shows(&browser, "begun in this tab").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_has_an_account() {
    let Some(browser) = Browser::start().await else { return };
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "bazaar").await;
    let origin = format!("http://bazaar.localhost:{}", stack.stack.settings.query_listen.port());
    browser.prefer("light").await;
    browser.screen(1_360, 900).await;
    browser.open(&format!("{origin}/")).await;

    somebody_signs_up(&browser, &stack).await;
    details_and_addresses_are_kept(&browser).await;
    a_session_goes_on_and_ends(&browser, &origin).await;
    a_password_is_forgotten(&browser, &stack, &shop, &origin).await;
    it_is_shown_on_a_phone(&browser, &origin).await;
    an_account_is_erased(&browser).await;
    let complaints = browser.complaints().await;
    // The browser itself complains of each refused request.
    let real: Vec<&String> = complaints.iter().filter(|one| !one.contains("status of 4")).collect();
    assert!(real.is_empty(), "{real:?}");
}

async fn somebody_signs_up(browser: &Browser, stack: &TestStack) {
    browser.until("document.getElementById('account-text').textContent === 'Sign in'").await;
    browser.click("#account").await;
    signs_in(browser, PASSWORD).await;
    shows(browser, "No account here has this address and this password.").await;
    browser.click(".account-links a[href*='sign-up']").await;
    // What is wrong stands beside its field, which has the focus.
    type_in(browser, "Sign up", "email", EMAIL).await;
    type_in(browser, "Sign up", "password", &format!("password1{}", keys::ENTER)).await;
    browser.until("document.querySelector('[data-field=password] .wrong').textContent !== ''").await;
    assert_eq!(browser.value("document.activeElement.name").await, "password");
    assert_eq!(browser.value("document.activeElement.getAttribute('aria-invalid')").await, "true");
    browser.picture("account-sign-up-desktop-light").await;
    it_is_legible(browser).await;
    type_in(browser, "Sign up", "password", &format!("{PASSWORD}{}", keys::ENTER)).await;
    // The shop has not named this page: the mail tells the code.
    shows(browser, "Check your mail").await;
    it_is_legible(browser).await;
    let code = code_of(&mail_to(stack, EMAIL, "Please confirm").await);
    type_in(browser, "Confirm your address", "code", &format!("{code}{}", keys::ENTER)).await;
    shows(browser, "Your address is confirmed.").await;
    signs_in(browser, PASSWORD).await;
    shows(browser, EMAIL).await;
    assert_eq!(browser.value("document.getElementById('account-text').textContent").await, "My account");
    assert_eq!(browser.value("document.activeElement.tagName").await, "H1");
}

async fn details_and_addresses_are_kept(browser: &Browser) {
    type_in(browser, "Your details", "name", "Ana Ruiz").await;
    type_in(browser, "Your details", "phone", &format!("none{}", keys::ENTER)).await;
    browser.until("document.querySelector('[data-field=phone] .wrong').textContent !== ''").await;
    type_in(browser, "Your details", "phone", &format!("+57 601 555 0100{}", keys::ENTER)).await;
    shows(browser, "Your details are saved.").await;
    for (street, city) in [("Calle 10", "Bogotá"), ("Calle 11", "Cali")] {
        browser.click("[data-key=add]").await;
        type_in(browser, "A new address", "line1", street).await;
        type_in(browser, "A new address", "city", city).await;
        browser
            .value(&format!("document.querySelector({}).value = 'CO'", json!(field("A new address", "country"))))
            .await;
        submit(browser, "A new address").await;
        shows(browser, street).await;
        browser.until("document.activeElement.dataset.key === 'add'").await;
    }
    let address = |place: usize| format!("document.querySelectorAll('.address')[{place}]?.innerText");
    let first = browser.value(&address(0)).await.to_string();
    assert!(first.contains("Default") && first.contains("Ana Ruiz") && first.contains("Colombia"), "{first}");
    browser.click(".address:nth-child(2) [data-key^=default]").await;
    browser.until(&format!("{}.startsWith('Default')", address(1))).await;
    browser.click(".address:nth-child(1) [data-key^=edit]").await;
    type_in(browser, "Change the address", "line1", "Carrera 7").await;
    submit(browser, "Change the address").await;
    shows(browser, "Carrera 7").await;
    browser.picture("account-desktop-light").await;
    it_is_legible(browser).await;
    browser.click(".address:nth-child(1) [data-key^=remove]").await;
    browser.click(".address .grave").await;
    browser.until("document.querySelectorAll('.address').length === 1").await;
}

/// Changes what is kept of the session, and loads the page again.
async fn with_session(browser: &Browser, change: &str) {
    let script = format!(
        "((kept) => {{ {change}; sessionStorage.setItem('souk-session', JSON.stringify(kept)); return true; }})(JSON.parse(sessionStorage.getItem('souk-session')))"
    );
    browser.value(&script).await;
    browser.reload().await;
}

async fn a_session_goes_on_and_ends(browser: &Browser, origin: &str) {
    let refresh = "JSON.parse(sessionStorage.getItem('souk-session')).refresh";
    for change in ["kept.over = Date.now()", "kept.access = 'none'"] {
        let before = browser.value(refresh).await;
        with_session(browser, change).await;
        shows(browser, EMAIL).await;
        assert_ne!(browser.value(refresh).await, before, "{change}: the tokens are exchanged");
    }
    // Calls that come at once wait for one exchange: a second one with the same token would end the session.
    let at_once = format!(
        "(async () => {{ const {{ Session }} = await import('{origin}/storefront/session.js'); const kept = JSON.parse(sessionStorage.getItem('souk-session')); kept.over = 0; sessionStorage.setItem('souk-session', JSON.stringify(kept)); const one = new Session({{ name: 'souk-session' }}); await Promise.all([1, 2, 3].map(() => one.send('GET', '/v1/me'))); document.title = 'all answered'; }})() && true"
    );
    browser.value(&at_once).await;
    browser.until("document.title === 'all answered'").await;
    with_session(browser, "kept.access = 'none'; kept.refresh = 'none'").await;
    shows(browser, "You are signed out, because the session has ended.").await;
    assert_eq!(browser.value("sessionStorage.getItem('souk-session')").await, json!(null));
    it_is_legible(browser).await;
}

async fn a_password_is_forgotten(browser: &Browser, stack: &TestStack, shop: &Shop, origin: &str) {
    // Now the shop names the page: mails lead to it.
    let named = json!({ "origins": [origin] });
    shop.command(Method::PUT, "/v1/origins", None, &named).await;
    browser.open(&format!("{origin}/?account=forgotten")).await;
    let mail = eventually("a mail leads to the page", PATIENCE, || async {
        browser.open(&format!("{origin}/?account=forgotten")).await;
        type_in(browser, "Forgotten password", "email", &format!("{EMAIL}{}", keys::ENTER)).await;
        shows(browser, "A new password").await;
        let mail = mail_to(stack, EMAIL, "A new password").await;
        if mail.contains("/?account=new-password&code=") { Ok(mail) } else { Err(mail) }
    })
    .await;
    let link = mail.split_whitespace().find(|word| word.starts_with(origin)).expect("a link");
    browser.open(link).await;
    browser.until(&format!("document.querySelector({})?.value", json!(field("New password", "code")))).await;
    assert_eq!(browser.value("location.search").await, "?account=new-password", "the code stays in no address");
    browser.picture("account-new-password-desktop-light").await;
    it_is_legible(browser).await;
    type_in(browser, "New password", "password", &format!("{OTHER}{}", keys::ENTER)).await;
    shows(browser, "The new password is set.").await;
    signs_in(browser, PASSWORD).await;
    shows(browser, "No account here has this address and this password.").await;
    signs_in(browser, OTHER).await;
    shows(browser, "Calle 11").await;
}

async fn it_is_shown_on_a_phone(browser: &Browser, origin: &str) {
    browser.click("#theme").await;
    for (width, height) in [(390, 844), (320, 640)] {
        browser.screen(width, height).await;
        browser.open(&format!("{origin}/?account=me")).await;
        shows(browser, "Calle 11").await;
        browser.click("[data-key^=edit]").await;
        no_sideways_scrolling(browser).await;
        it_is_legible(browser).await;
        browser.picture(&format!("account-phone-{width}-dark")).await;
    }
    browser.screen(390, 844).await;
    browser.click("#theme").await;
    browser.open(&format!("{origin}/?account=me")).await;
    shows(browser, "Calle 11").await;
    browser.picture("account-phone-light").await;
    it_is_legible(browser).await;
    // Signing out, and in again for what comes next.
    browser.click("[aria-label='Signing out'] button").await;
    browser.until("document.getElementById('account-text').textContent === 'Sign in'").await;
    assert_eq!(browser.value("sessionStorage.getItem('souk-session')").await, json!(null));
    signs_in(browser, OTHER).await;
    shows(browser, "Calle 11").await;
}

async fn an_account_is_erased(browser: &Browser) {
    browser.value("document.querySelector('details:last-of-type').open = true").await;
    type_in(browser, "Erase the account", "password", OTHER).await;
    type_in(browser, "Erase the account", "confirm", &format!("somebody@example.com{}", keys::ENTER)).await;
    shows(browser, &format!("This is not {EMAIL}.")).await;
    type_in(browser, "Erase the account", "confirm", &format!("{EMAIL}{}", keys::ENTER)).await;
    shows(browser, "Your account is erased").await;
    shows(browser, "key of the person").await;
    browser.picture("account-erased-phone-light").await;
    it_is_legible(browser).await;
    browser.open("about:blank").await;
    browser.back().await;
    shows(browser, "Sign in").await;
}
