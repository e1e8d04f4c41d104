//! Mails leave the house by SMTP, whatever the server does.

use super::{answer, storefront};
use acceptance::{
    eventually::eventually,
    shop::{PATIENCE, Shop},
    shopper::PASSWORD,
    smtp_stand_in::{Received, SmtpStandIn},
    stack::TestStack,
};
use reqwest::Method;
use serde_json::json;

/// A stack whose mails go to a server.
async fn stack_with(server: &SmtpStandIn) -> TestStack {
    let url = server.url();
    TestStack::start_with(false, |settings| settings.mail_url = Some(url)).await
}

async fn sign_up(shop: &Shop, email: &str, return_to: Option<&str>) {
    let asked = json!({"email": email, "password": PASSWORD, "return_to": return_to});
    let (status, _, told) = answer(shop.request(Method::POST, "/v1/accounts").json(&asked)).await;
    assert_eq!(status, 202, "{told}");
}

/// The mails to an address, once there are so many.
async fn mails_to(server: &SmtpStandIn, email: &str, many: usize) -> Vec<Received> {
    eventually(&format!("{many} mails to {email}"), PATIENCE, || async {
        let mails: Vec<Received> = server.mails().into_iter().filter(|mail| mail.to == [email]).collect();
        if mails.len() >= many { Ok(mails) } else { Err(format!("{}", mails.len())) }
    })
    .await
}

async fn waiting(stack: &TestStack) -> Vec<(i32, Option<String>, bool)> {
    sqlx::query_as("SELECT tries, last_error, given_up_at IS NOT NULL FROM accounts.mails")
        .fetch_all(&stack.write)
        .await
        .expect("the mails that wait")
}

#[tokio::test]
async fn a_link_leads_to_a_page_of_the_shop_and_brings_the_code() {
    let server = SmtpStandIn::start().expect("a server");
    let stack = stack_with(&server).await;
    let owner = Shop::open(&stack, "linked").await;
    owner.command(Method::PUT, "/v1/origins", None, &json!({"origins": ["https://shop.example"]})).await;
    let shop = owner.with_key(&owner.key("search", &[]).await.1);
    let page = "https://shop.example/verify?lang=en";
    eventually("the origin is known", PATIENCE, || async {
        let asked = json!({"email": "ana@example.com", "password": PASSWORD, "return_to": page});
        let (status, _, told) = answer(shop.request(Method::POST, "/v1/accounts").json(&asked)).await;
        if status == 202 { Ok(()) } else { Err(told.to_string()) }
    })
    .await;
    let mail = mails_to(&server, "ana@example.com", 1).await.remove(0);
    assert_eq!(mail.subject, "Please confirm your address for linked");
    let link = mail.text.lines().find(|line| line.starts_with("https://")).unwrap_or_default().trim().to_owned();
    let code = link.strip_prefix(&format!("{page}&code=")).unwrap_or_default();
    shop.command(Method::POST, "/v1/accounts/verify", None, &json!({ "code": code })).await;
    // What was sent is kept no longer.
    assert!(waiting(&stack).await.is_empty());
}

#[tokio::test]
async fn what_the_server_does_not_take_now_is_sent_later_and_what_it_never_takes_is_given_up() {
    let server = SmtpStandIn::start().expect("a server");
    let stack = stack_with(&server).await;
    let shop = storefront(&stack, "patient").await;
    server.fail_next(2, "451 try later");
    sign_up(&shop, "later@example.com", None).await;
    assert_eq!(mails_to(&server, "later@example.com", 1).await.len(), 1);
    // The server has it, and the connection broke before it said so: it comes once more, and can be told to be the same.
    server.hang_up_next(1);
    sign_up(&shop, "twice@example.com", None).await;
    let twice = mails_to(&server, "twice@example.com", 2).await;
    assert_eq!(twice[0].header("Message-ID"), twice[1].header("Message-ID"));
    server.fail_next(1, "550 no such person");
    sign_up(&shop, "nobody@example.com", None).await;
    let given_up = eventually("it is given up", PATIENCE, || async {
        let waiting = waiting(&stack).await;
        waiting.iter().find(|(.., given_up)| *given_up).cloned().ok_or(format!("{waiting:?}"))
    })
    .await;
    assert_eq!(given_up.0, 1, "{given_up:?}");
    assert!(given_up.1.is_some_and(|error| error.contains("550") && !error.contains("nobody@")), "and why is known");
}
