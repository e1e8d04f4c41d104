//! People who work for a shop: invited, with roles, and one-time codes without which these don't count.

use super::{answer, met};
use acceptance::{
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    shopper::{Authenticated, PASSWORD, Shopper, code_now, code_of, invited, mail_to},
    stack::TestStack,
};
use reqwest::Method;
use serde_json::{Value, json};

/// What a write of staff is met with.
async fn writes(shop: &Shop, sku: &str) -> u16 {
    let line = product_line(sku, "Lamp of staff");
    let sent = shop.request(Method::POST, "/v1/products/bulk").body(format!("{line}\n")).send().await;
    sent.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn a_role_counts_once_a_one_time_code_was_shown() {
    let stack = TestStack::start(false).await;
    let admin = Shop::open(&stack, "staffed").await;
    let weak = invited(&admin, "anna@staffed.example", Some("owner")).await;
    let (status, _, me) = answer(weak.at(&admin).request(Method::GET, "/v1/me")).await;
    assert_eq!((status, &me["roles"]), (200, &json!(["owner"])), "{me}");
    assert_eq!(me["second_factor"], json!({"enabled": false, "proved": false}));
    let (status, _, refused) = answer(weak.at(&admin).request(Method::POST, "/v1/keys").json(&json!({}))).await;
    assert_eq!(status, 403, "{refused}");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("one-time code")), "{refused}");
    let anna = Authenticated::enrol(&admin, weak, "anna@staffed.example").await;
    let own = anna.person.at(&admin);
    let (_, _, me) = answer(own.request(Method::GET, "/v1/me")).await;
    assert_eq!(me["second_factor"], json!({"enabled": true, "proved": true}), "{me}");
    assert!(me["permissions"].as_array().is_some_and(|all| all.len() >= 10), "{me}");
    assert_eq!(writes(&own, "lamp").await, 200);
    let made = own.command(Method::POST, "/v1/keys", None, &json!({"name": "Page", "kind": "search"})).await;
    // The read side lets her in, too, and the audit says who it was.
    let keys = own.read("/v1/keys", made["token"].as_str()).await;
    assert_eq!(keys.body["keys"][0]["id"], made["id"], "{keys:?}");
    eventually("the activity says who made the key", PATIENCE, || async {
        let activity = own.read(&format!("/v1/activity?key={}", anna.person.id), None).await;
        let actor = &activity.body["entries"][0]["entry"]["actor"];
        if *actor == json!({"kind": "owner", "user": anna.person.id}) { Ok(()) } else { Err(format!("{activity:?}")) }
    })
    .await;
    let refused = own.request(Method::POST, "/v1/tenants/staffed/suspend").json(&json!({"reason": "x"}));
    assert_eq!(answer(refused).await.0, 403, "an owner is no administrator");
}

#[tokio::test]
async fn one_time_codes_are_asked_for_work_once_and_can_be_recovered() {
    let stack = TestStack::start(false).await;
    let admin = Shop::open(&stack, "codes").await;
    let shop = admin.with_key(&admin.key("search", &[]).await.1);
    let email = "ben@codes.example";
    let ben = Shopper::sign_up(&stack, &shop, email).await;
    let own = ben.at(&shop);
    // An authenticator that was not shown to work is not asked for.
    let wrong = json!({"password": "not-this-one-9"});
    assert_eq!(met(&own, Method::POST, "/v1/me/second-factor", &wrong).await, (403, "wrong_password".to_owned()));
    let begin = json!({"password": PASSWORD});
    own.command(Method::POST, "/v1/me/second-factor", None, &begin).await;
    let code = json!({"code": "000000"});
    let confirm = "/v1/me/second-factor/confirm";
    assert_eq!(met(&own, Method::POST, confirm, &code).await, (401, "second_factor_wrong".to_owned()));
    Shopper::sign_in(&shop, email, PASSWORD).await;
    let mut ben = Authenticated::enrol(&shop, ben, email).await;
    mail_to(&stack, email, "One-time codes protect").await;
    let own = ben.person.at(&shop);
    let conflict = (409, "second_factor_conflict".to_owned());
    assert_eq!(met(&own, Method::POST, "/v1/me/second-factor", &begin).await, conflict);
    let sign_in = |code: Option<&str>| json!({"email": email, "password": PASSWORD, "code": code});
    let ask = async |code: Option<&str>| met(&shop, Method::POST, "/v1/sessions", &sign_in(code)).await;
    assert_eq!(ask(None).await, (401, "second_factor_required".to_owned()));
    // The code that was shown to confirm is used up.
    let used = code_now(&ben.secret);
    let wrong = (401, "second_factor_wrong".to_owned());
    if ask(Some(&used)).await != wrong {
        // Thirty seconds have passed meanwhile: then this one is.
        assert_eq!(ask(Some(&used)).await, wrong);
    }
    assert_eq!(ask(Some("ab")).await, wrong);
    // A recovery code works once, however it is typed.
    let recovery = ben.recovery_codes.pop().expect("a code").to_uppercase().replace('-', " ");
    assert_eq!(ask(Some(&recovery)).await.0, 201);
    assert_eq!(ask(Some(&recovery)).await, wrong);
    ben.sign_in(&shop).await;
    let own = ben.person.at(&shop);
    let code = json!({"code": ben.recovery_codes.pop().expect("a code")});
    let renewed = own.command(Method::POST, "/v1/me/recovery-codes", None, &code).await;
    let left = ben.recovery_codes.pop().expect("a code");
    assert_eq!(ask(Some(&left)).await, wrong, "those before are none");
    // Without a second factor, all sessions are over.
    let last = renewed["recovery_codes"][0].as_str().expect("a code");
    let disable = json!({"password": PASSWORD, "code": last});
    assert_eq!(met(&own, Method::POST, "/v1/me/second-factor/disable", &disable).await.0, 204);
    eventually("the session is over", PATIENCE, || async {
        let status = answer(own.request(Method::GET, "/v1/me")).await.0;
        if status == 401 { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    assert_eq!(ask(None).await.0, 201);
    mail_to(&stack, email, "One-time codes no longer").await;
}

#[tokio::test]
async fn who_guesses_one_time_codes_has_to_wait() {
    let stack = TestStack::start(false).await;
    let admin = Shop::open(&stack, "guesses").await;
    let anna = Authenticated::invited(&admin, "anna@guesses.example", "staff").await;
    let nobody = admin.without_key();
    let guess = json!({"email": anna.email, "password": PASSWORD, "code": "999999x"});
    let mut met_with = Vec::new();
    for _ in 0..6 {
        met_with.push(met(&nobody, Method::POST, "/v1/sessions", &guess).await.0);
    }
    assert_eq!(met_with, [401, 401, 401, 401, 401, 429]);
}

#[tokio::test]
async fn a_shop_defines_roles_grants_and_takes_them() {
    let stack = TestStack::start(false).await;
    let admin = Shop::open(&stack, "roles").await;
    let mut owner = Authenticated::invited(&admin, "owner@roles.example", "owner").await;
    let own = owner.person.at(&admin);
    let define = |permissions: &[&str]| json!({"name": "Buyers", "permissions": permissions});
    let path = "/v1/roles/buyers";
    let wrong = define(&["catalog.fly"]);
    assert_eq!(met(&own, Method::PUT, path, &wrong).await, (422, "validation_failed".to_owned()));
    let built_in = met(&own, Method::PUT, "/v1/roles/owner", &define(&["catalog.write"])).await;
    assert_eq!(built_in, (422, "validation_failed".to_owned()));
    own.command(Method::PUT, path, None, &define(&["pricing.write"])).await;
    let buyer = Authenticated::invited(&admin, "buyer@roles.example", "buyers").await;
    let buys = buyer.person.at(&admin);
    assert_eq!(writes(&buys, "a").await, 403);
    own.command(Method::PUT, path, None, &define(&["catalog.write"])).await;
    let until = async |status: u16, sku: &str| {
        eventually(&format!("a write is answered {status}"), PATIENCE, || async {
            let met = writes(&buys, sku).await;
            if met == status { Ok(()) } else { Err(met.to_string()) }
        })
        .await;
    };
    until(200, "b").await;
    let listed = own.read("/v1/users", None).await;
    let users = listed.body["users"].as_array().cloned().unwrap_or_default();
    let shown = users.iter().find(|user| user["id"] == buyer.person.id.as_str()).cloned().unwrap_or_default();
    assert_eq!((&shown["roles"], &shown["has_second_factor"]), (&json!(["buyers"]), &json!(true)), "{listed:?}");
    // Staff put customers into groups.
    let groups = format!("/v1/users/{}/groups", buyer.person.id);
    let clerk = admin.with_key(&admin.key("staff", &["accounts.write"]).await.1);
    let set = clerk.command(Method::PUT, &groups, None, &json!({"groups": ["trade"]})).await;
    let listed = own.read("/v1/users", set["token"].as_str()).await;
    assert!(listed.body.to_string().contains("\"groups\":[\"trade\"]"), "{listed:?}");
    // Another role of the same name is not theirs.
    let removed = own.command(Method::DELETE, path, None, &Value::Null).await;
    until(403, "c").await;
    let roles = own.read("/v1/roles", removed["token"].as_str()).await;
    assert_eq!(roles.body["roles"], json!([]), "{roles:?}");
    own.command(Method::PUT, path, None, &define(&["catalog.write"])).await;
    let grant = format!("/v1/users/{}/roles/buyers", buyer.person.id);
    own.command(Method::PUT, &grant, None, &Value::Null).await;
    until(200, "d").await;
    let roles = own.read("/v1/roles", None).await;
    assert_eq!((&roles.body["roles"][0]["slug"], &roles.body["roles"][0]["members"]), (&json!("buyers"), &json!(1)));
    own.command(Method::DELETE, &grant, None, &Value::Null).await;
    until(403, "e").await;
    // Nobody makes administrators but administrators, and nobody grants beyond what there is.
    let admins = format!("/v1/users/{}/roles/admin", buyer.person.id);
    assert_eq!(met(&own, Method::PUT, &admins, &Value::Null).await, (403, "forbidden".to_owned()));
    let invite = json!({"email": "x@roles.example", "role": "admin"});
    assert_eq!(met(&own, Method::POST, "/v1/invitations", &invite).await, (403, "forbidden".to_owned()));
    let unknown = format!("/v1/users/{}/roles/none", buyer.person.id);
    assert_eq!(met(&own, Method::PUT, &unknown, &Value::Null).await, (404, "not_found".to_owned()));
    // Who has lost the second factor has no role until there is another.
    let reset = format!("/v1/users/{}/second-factor", buyer.person.id);
    own.command(Method::DELETE, &reset, None, &Value::Null).await;
    until(401, "f").await;
    owner.sign_in(&admin).await;
    assert_eq!(writes(&owner.person.at(&admin), "g").await, 200);
}

#[tokio::test]
async fn an_invitation_comes_by_mail_and_works_once() {
    let stack = TestStack::start(false).await;
    let admin = Shop::open(&stack, "inviting").await;
    let owner = Authenticated::invited(&admin, "owner@inviting.example", "owner").await;
    let own = owner.person.at(&admin);
    let nobody = admin.without_key();
    let email = "cleo@inviting.example";
    let told = met(&own, Method::POST, "/v1/invitations", &json!({"email": email, "mail": false})).await;
    assert_eq!(told, (403, "forbidden".to_owned()), "an owner would prove an address that is not theirs");
    assert_eq!(met(&own, Method::POST, "/v1/invitations", &json!({"email": email, "role": "staff"})).await.0, 202);
    let code = code_of(&mail_to(&stack, email, "You are invited").await);
    let accept = "/v1/invitations/accept";
    let without = met(&nobody, Method::POST, accept, &json!({"code": code})).await;
    assert_eq!(without, (422, "validation_failed".to_owned()), "who has no account chooses a password");
    let weak = met(&nobody, Method::POST, accept, &json!({"code": code, "password": "password1"})).await;
    assert_eq!(weak, (422, "validation_failed".to_owned()));
    let taken = json!({"code": code, "password": PASSWORD});
    assert_eq!(met(&nobody, Method::POST, accept, &taken).await.0, 200);
    assert_eq!(met(&nobody, Method::POST, accept, &taken).await, (422, "validation_failed".to_owned()));
    let cleo = Shopper::sign_in(&nobody, email, PASSWORD).await;
    let (_, _, me) = answer(cleo.at(&admin).request(Method::GET, "/v1/me")).await;
    assert_eq!((&me["roles"], &me["email_verified"]), (&json!(["staff"]), &json!(true)), "{me}");
    // Who has an account already keeps the password.
    let again = json!({"email": email, "role": "owner", "mail": false});
    let again = admin.command(Method::POST, "/v1/invitations", None, &again).await;
    let other = json!({"code": again["code"], "password": "quite-another-8"});
    nobody.command(Method::POST, accept, None, &other).await;
    Shopper::sign_in(&nobody, email, PASSWORD).await;
    // At another shop it is none.
    let elsewhere = Shop::open(&stack, "elsewhere").await;
    let again = admin.command(Method::POST, "/v1/invitations", None, &json!({"email": email, "mail": false})).await;
    let there = json!({"code": again["code"], "password": PASSWORD});
    let met_there = met(&elsewhere.without_key(), Method::POST, accept, &there).await;
    assert_eq!(met_there, (422, "validation_failed".to_owned()));
}

#[tokio::test]
async fn an_administrator_signs_in_and_has_every_shop() {
    let stack = TestStack::start(false).await;
    let (home, other) = (Shop::open(&stack, "installation").await, Shop::open(&stack, "other").await);
    let root = Authenticated::invited(&home, "root@installation.example", "admin").await;
    let there = root.person.at(&other);
    assert_eq!(writes(&there, "lamp").await, 200);
    let suspended = there.command(Method::POST, "/v1/tenants/other/suspend", None, &json!({"reason": "Unpaid"})).await;
    assert_eq!(there.read("/v1/keys", suspended["token"].as_str()).await.status, 200);
    there.command(Method::POST, "/v1/tenants/other/resume", None, &Value::Null).await;
    // What is theirs is in their shop, named or not; there is nothing of theirs elsewhere.
    let http = reqwest::Client::new();
    let me = http.get(format!("{}/v1/me", stack.write_url())).bearer_auth(&root.person.access);
    let (status, _, told) = answer(me).await;
    assert_eq!((status, &told["roles"]), (200, &json!(["admin"])), "{told}");
    assert_eq!(answer(there.request(Method::GET, "/v1/me")).await.0, 404);
    eventually("the audit says who it was", PATIENCE, || async {
        let activity = other.read("/v1/activity", None).await;
        let entries = activity.body["entries"].as_array().cloned().unwrap_or_default();
        let by_root = json!({"kind": "admin", "user": root.person.id});
        if entries.iter().any(|entry| entry["entry"]["actor"] == by_root) {
            Ok(())
        } else {
            Err(format!("{entries:?}"))
        }
    })
    .await;
}
