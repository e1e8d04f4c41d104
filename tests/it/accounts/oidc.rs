//! Signing in by an identity provider, against a stand-in that speaks the protocol and fails when told to.

mod accounts;
mod faults;
mod owners;

use super::{answer, met};
use acceptance::{
    eventually::eventually,
    oidc_stand_in::{Algorithm, CLIENT_ID, CLIENT_SECRET, OidcStandIn, Person, visit},
    shop::{PATIENCE, Shop},
    shopper::Shopper,
    stack::TestStack,
};
use reqwest::Method;
use serde_json::{Value, json};

/// The page of the shop that people come back to.
const PAGE: &str = "https://shop.example/signed-in?lang=es";

/// A shop with a provider.
struct Scene {
    stack: TestStack,
    owner: Shop,
    /// With the key that a storefront has.
    shop: Shop,
    provider: OidcStandIn,
}

/// What somebody comes back with, or what the beginning was met with.
type Back = Result<Value, (u16, String)>;

impl Scene {
    async fn open(slug: &str, algorithm: Algorithm) -> Self {
        let stack = TestStack::start_with(false, |settings| settings.local_issuers = true).await;
        let provider = OidcStandIn::start(algorithm).expect("a provider");
        provider.allow(PAGE);
        let owner = Shop::open(&stack, slug).await;
        let origins = json!({"origins": ["https://shop.example"]});
        owner.command(Method::PUT, "/v1/origins", None, &origins).await;
        let shop = owner.with_key(&owner.key("search", &[]).await.1);
        let scene = Self { stack, owner, shop, provider };
        scene.set("acme", &scene.provider.issuer()).await;
        // The origins are known within 2 seconds.
        eventually("the page is one of the shop's", PATIENCE, || async {
            scene.begin(&scene.shop).await.map(drop).map_err(|met| format!("{met:?}"))
        })
        .await;
        scene
    }

    /// Lets people sign in by a provider that has agreed with the shop.
    async fn set(&self, slug: &str, issuer: &str) -> Value {
        let agreed = json!({"name": "Acme", "issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET});
        self.owner.command(Method::PUT, &format!("/v1/identity-providers/{slug}"), None, &agreed).await
    }

    /// Begins; gives the page of the provider.
    async fn begin(&self, shop: &Shop) -> Result<String, (u16, String)> {
        let asked = json!({"provider": "acme", "return_to": PAGE});
        let (status, code, begun) = answer(shop.request(Method::POST, "/v1/sessions/oidc").json(&asked)).await;
        if status == 201 {
            Ok(begun["authorization_url"].as_str().expect("a page").to_owned())
        } else {
            Err((status, code))
        }
    }

    /// Goes to the provider and comes back.
    async fn there_and_back(&self, shop: &Shop) -> Back {
        let back = visit(&self.begin(shop).await?).await.expect("let in");
        Ok(json!({"code": back["code"], "state": back["state"], "iss": back["iss"]}))
    }

    /// What completing is met with.
    async fn completed(&self, back: &Value) -> (u16, String, Value) {
        answer(self.shop.request(Method::POST, "/v1/sessions/oidc/complete").json(back)).await
    }

    /// Signs a person in, all the way.
    async fn sign_in(&self, person: Person) -> Shopper {
        self.provider.let_in(person);
        let back = self.there_and_back(&self.shop).await.expect("there and back");
        let (status, _, tokens) = self.completed(&back).await;
        assert_eq!(status, 201, "{tokens}");
        Shopper::of(&tokens)
    }

    /// The same, up to what it is met with.
    async fn met(&self, person: Person) -> (u16, String) {
        self.provider.let_in(person);
        let back = self.there_and_back(&self.shop).await;
        match back {
            Ok(back) => {
                let (status, code, _) = self.completed(&back).await;
                (status, code)
            }
            Err(met) => met,
        }
    }

    /// Rows of a table of accounts.
    async fn rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM accounts.{table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&self.stack.write).await.expect("a number")
    }
}

async fn me(shop: &Shop, shopper: &Shopper) -> Value {
    answer(shopper.at(shop).request(Method::GET, "/v1/me")).await.2
}

#[tokio::test]
async fn somebody_signs_in_by_a_provider_however_it_signs() {
    for (slug, algorithm) in [("rsa", Algorithm::Rs256), ("ec", Algorithm::Es256), ("ed", Algorithm::EdDsa)] {
        let scene = Scene::open(slug, algorithm).await;
        eventually("the page is told of the provider", PATIENCE, || async {
            let listed = scene.shop.read("/v1/identity-providers", None).await;
            let told = listed.body["providers"] == json!([{"slug": "acme", "name": "Acme"}]);
            if told { Ok(()) } else { Err(format!("{listed:?}")) }
        })
        .await;
        let ana = scene.sign_in(Person::verified("subject-1", "Ana@Example.com")).await;
        let kept = me(&scene.shop, &ana).await;
        assert_eq!((&kept["email"], &kept["email_verified"]), (&json!("Ana@Example.com"), &json!(true)), "{kept}");
        assert_eq!(kept["identities"], json!(["acme"]));
        // Whoever is the same there is the same here, whatever the address is by now.
        let again = scene.sign_in(Person { email: None, ..Person::verified("subject-1", "") }).await;
        assert_eq!(again.id, ana.id);
        assert_ne!(again.session, ana.session);
        let other = scene.sign_in(Person::verified("subject-2", "eva@example.com")).await;
        assert_ne!(other.id, ana.id);
        assert_eq!((scene.rows("users").await, scene.rows("identities").await), (2, 2));
        // The session is one like any other.
        let refresh = json!({"refresh_token": ana.refresh});
        assert_eq!(met(&scene.shop, Method::POST, "/v1/sessions/refresh", &refresh).await.0, 200);
        eventually("the read side believes the token", PATIENCE, || async {
            let status = again.at(&scene.shop).read("/v1/search?q=lamp", None).await.status;
            if status == 200 { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
    }
}

#[tokio::test]
async fn an_address_that_is_told_apart_from_the_token_counts_as_well() {
    let scene = Scene::open("apart", Algorithm::Es256).await;
    let person = Person { is_apart: true, ..Person::verified("subject-1", "ana@example.com") };
    let ana = scene.sign_in(person).await;
    assert_eq!(me(&scene.shop, &ana).await["email"], "ana@example.com");
}

#[tokio::test]
async fn keys_of_the_provider_follow_each_other() {
    let scene = Scene::open("rotating", Algorithm::EdDsa).await;
    let ana = scene.sign_in(Person::verified("subject-1", "ana@example.com")).await;
    let asked = scene.provider.asked("/.well-known/openid-configuration");
    scene.provider.rotate();
    let again = scene.sign_in(Person::verified("subject-1", "ana@example.com")).await;
    assert_eq!(again.id, ana.id);
    // What it publishes is remembered; its keys were asked for once more.
    assert_eq!(scene.provider.asked("/.well-known/openid-configuration"), asked);
    assert_eq!(scene.provider.asked("/jwks"), 2);
}
