//! A shopper with an account, as a storefront would have one: signs up, follows the mail, signs in.

use crate::{
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;

/// A password that nobody guesses.
pub const PASSWORD: &str = "vX9-lampe-42";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Shopper {
    /// The account's id.
    pub id: String,
    /// The session's id.
    pub session: String,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Shopper {
    /// Signs up in a shop whose mails become files, and signs in.
    pub async fn sign_up(stack: &TestStack, shop: &Shop, email: &str) -> Self {
        let asked = json!({"email": email, "password": PASSWORD});
        shop.command(Method::POST, "/v1/accounts", None, &asked).await;
        // The same address may have signed up elsewhere, too.
        let subject = format!("Please confirm your address for {}", shop.slug);
        let code = code_of(&mail_to(stack, email, &subject).await);
        shop.command(Method::POST, "/v1/accounts/verify", None, &json!({"code": code})).await;
        let shopper = Self::sign_in(shop, email, PASSWORD).await;
        // The key of a shop's first tokens travels to the read side like any write.
        eventually("the read side knows the shop's key", PATIENCE, || async {
            let status = shopper.at(shop).read("/v1/jwks", None).await.status;
            if status == 200 { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
        shopper
    }

    /// Signs in.
    pub async fn sign_in(shop: &Shop, email: &str, password: &str) -> Self {
        let asked = json!({"email": email, "password": password});
        Self::of(&shop.command(Method::POST, "/v1/sessions", None, &asked).await)
    }

    /// By an answer that has tokens.
    #[must_use]
    pub fn of(answer: &Value) -> Self {
        let of = |name: &str| answer[name].as_str().expect(name).to_owned();
        Self { id: of("user_id"), session: of("session_id"), access: of("access_token"), refresh: of("refresh_token") }
    }

    /// The shop, asked by this shopper.
    #[must_use]
    pub fn at(&self, shop: &Shop) -> Shop {
        shop.with_key(&self.access)
    }
}

/// Somebody without an account, who is known again by a token.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The guest's id.
    pub id: String,
    /// The token.
    pub token: String,
}

impl Guest {
    /// Becomes one, and waits until the read side knows the key of the token.
    pub async fn begin(shop: &Shop) -> Self {
        let drawn = shop.command(Method::POST, "/v1/guests", None, &Value::Null).await;
        let of = |name: &str| drawn[name].as_str().expect(name).to_owned();
        let guest = Self { id: of("guest_id"), token: of("guest_token") };
        eventually("the read side knows the shop's key", PATIENCE, || async {
            let status = guest.at(shop).read("/v1/jwks", None).await.status;
            if status == 200 { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
        guest
    }

    /// The shop, asked by this guest.
    #[must_use]
    pub fn at(&self, shop: &Shop) -> Shop {
        shop.with_key(&self.token)
    }
}

/// Somebody who has an account and an authenticator.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Signed in; a code was shown in the session.
    pub person: Shopper,
    /// The e-mail address.
    pub email: String,
    /// The secret of the authenticator, in base 32.
    pub secret: String,
    /// Recovery codes that are left.
    pub recovery_codes: Vec<String>,
}

impl Authenticated {
    /// Somebody whom an administrator has invited to a role, and who has set up one-time codes.
    pub async fn invited(admin: &Shop, email: &str, role: &str) -> Self {
        let weak = invited(admin, email, Some(role)).await;
        Self::enrol(admin, weak, email).await
    }

    /// Sets up one-time codes for somebody who is signed in.
    pub async fn enrol(shop: &Shop, weak: Shopper, email: &str) -> Self {
        let at = weak.at(shop);
        let password = json!({"password": PASSWORD});
        let enrolment = at.command(Method::POST, "/v1/me/second-factor", None, &password).await;
        let secret = enrolment["secret"].as_str().expect("a secret").to_owned();
        let code = json!({"code": code_now(&secret)});
        let confirmed = at.command(Method::POST, "/v1/me/second-factor/confirm", None, &code).await;
        let codes = confirmed["recovery_codes"].as_array().expect("codes").iter();
        let recovery_codes = codes.map(|code| code.as_str().expect("a code").to_owned()).collect();
        let refresh = json!({"refresh_token": weak.refresh});
        let person =
            Shopper::of(&shop.without_key().command(Method::POST, "/v1/sessions/refresh", None, &refresh).await);
        Self { person, email: email.to_owned(), secret, recovery_codes }
    }

    /// Signs in anew, by a recovery code: those of the authenticator work once in 30 seconds.
    pub async fn sign_in(&mut self, shop: &Shop) {
        let code = self.recovery_codes.pop().expect("a recovery code is left");
        let asked = json!({"email": self.email, "password": PASSWORD, "code": code});
        self.person = Shopper::of(&shop.without_key().command(Method::POST, "/v1/sessions", None, &asked).await);
    }
}

/// Somebody whom an administrator has invited, signed in by the password alone.
pub async fn invited(admin: &Shop, email: &str, role: Option<&str>) -> Shopper {
    let asked = json!({"email": email, "role": role, "mail": false});
    let invitation = admin.command(Method::POST, "/v1/invitations", None, &asked).await;
    let accepted = json!({"code": invitation["code"], "password": PASSWORD});
    let nobody = admin.without_key();
    let accepted = nobody.command(Method::POST, "/v1/invitations/accept", None, &accepted).await;
    let shopper = Shopper::sign_in(&nobody, email, PASSWORD).await;
    let token = accepted["token"].as_str();
    eventually("the read side knows them", PATIENCE, || async {
        let read = admin.read("/v1/users", token).await;
        let keys = admin.read("/v1/jwks", None).await;
        let has_key = keys.body["keys"].as_array().is_some_and(|keys| !keys.is_empty());
        if read.fresh && has_key { Ok(()) } else { Err(format!("{read:?} {keys:?}")) }
    })
    .await;
    shopper
}

/// The one-time code of this moment.
#[must_use]
pub fn code_now(secret: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let secret = totp_rs::Secret::try_from_base32(secret).expect("base 32");
    totp_rs::Builder::new().with_secret(secret).build().expect("a secret").generate(now.as_secs()).to_string()
}

/// The newest mail to an address with a subject that begins so; its text in the clear.
pub async fn mail_to(stack: &TestStack, email: &str, subject: &str) -> String {
    let folder = stack.stack.settings.data_dir.join("mails");
    let what = format!("a mail to {email}: {subject}");
    let found = eventually(&what, PATIENCE, || async {
        let mails = mails(&folder);
        mails.into_iter().rfind(|mail| is_to(mail, email, subject)).ok_or_else(|| "there is none".to_owned())
    });
    text_of(&found.await)
}

/// How many mails have come to an address.
#[must_use]
pub fn mails_to(stack: &TestStack, email: &str) -> usize {
    let folder = stack.stack.settings.data_dir.join("mails");
    mails(&folder).iter().filter(|mail| is_to(mail, email, "")).count()
}

/// The mails in a folder, the oldest first.
fn mails(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|file| file.path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
    files.sort();
    files.into_iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

fn is_to(mail: &str, email: &str, subject: &str) -> bool {
    let header = |name: &str| mail.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name));
    header("To: ").is_some_and(|to| to.trim() == email)
        && header("Subject: ").is_some_and(|said| said.starts_with(subject))
}

/// The text of a mail, whichever way it is encoded.
fn text_of(mail: &str) -> String {
    let (head, body) = mail.split_once("\r\n\r\n").expect("a body");
    let head = head.to_lowercase();
    if head.contains("content-transfer-encoding: base64") {
        let lines: String = body.split_whitespace().collect();
        return String::from_utf8(BASE64_STANDARD.decode(lines).expect("base64")).expect("a text");
    }
    // Quoted-printable: soft line breaks, and the sign that begins an escape.
    body.replace("=\r\n", "").replace("=3D", "=")
}

/// The code in the text of a mail: it stands alone on its line.
#[must_use]
#[expect(clippy::panic, reason = "this is how a test fails")]
pub fn code_of(text: &str) -> String {
    let is_code =
        |line: &&str| line.len() == 43 && line.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in: {text}")).to_owned()
}
