//! The first accounts of a stack: an administrator of the installation, and the people of the demo.

use crate::{
    LaunchError, secret,
    stack::{Service, Stack},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The shop that administrators of the installation sign in to.
pub const INSTALLATION: &str = "installation";
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who has an account.
#[derive(Debug, Clone)]
pub struct Person {
    /// The shop in which they have it.
    pub shop: String,
    /// The e-mail address.
    pub email: String,
    /// Where the password is.
    pub password_file: PathBuf,
    /// Whether they work there.
    pub has_role: bool,
}

/// Makes the first administrator, unless there is one.
///
/// # Errors
/// What write-api said, as a sentence.
pub async fn administrator(stack: &Stack) -> Result<Person, LaunchError> {
    let [person] = make(stack, INSTALLATION, "admin", &[("admin", Some("admin"))]).await?;
    Ok(person)
}

/// Makes a shopper, somebody of the staff and an owner of the demo's shop, unless they are there.
///
/// # Errors
/// What write-api said, as a sentence.
pub async fn demo(stack: &Stack, shop: &str) -> Result<[Person; 3], LaunchError> {
    let people = [("shopper", None), ("staff", Some("staff")), ("owner", Some("owner"))];
    make(stack, shop, &format!("demo-{shop}"), &people).await
}

/// Makes people who share a password, in a file of this name.
async fn make<const N: usize>(
    stack: &Stack,
    shop: &str,
    name: &str,
    people: &[(&str, Option<&str>); N],
) -> Result<[Person; N], LaunchError> {
    let file = |end: &str| stack.settings.data_dir.join(format!("{name}.{end}"));
    let (password_file, mark) = (file("password"), file("accounts"));
    let person = |(who, role): &(&str, Option<&str>)| Person {
        shop: shop.to_owned(),
        email: format!("{who}@{shop}.localhost"),
        password_file: password_file.clone(),
        has_role: role.is_some(),
    };
    let made = people.each_ref().map(person);
    if mark.exists() {
        return Ok(made);
    }
    let password = password(&password_file)?;
    let http = Client::builder().timeout(PATIENCE).build().map_err(|error| LaunchError::Other(error.to_string()))?;
    let asked = Asked { http, url: stack.url(Service::WriteApi), key: stack.admin_key()?, shop };
    asked.command(Method::PUT, &format!("/v1/tenants/{shop}"), &json!({"name": shop})).await?;
    for (Person { email, .. }, (_, role)) in made.iter().zip(people) {
        let invitation = json!({"email": email, "role": role, "mail": false});
        let code = asked.command(Method::POST, "/v1/invitations", &invitation).await?;
        let accepted = json!({"code": code["code"], "password": password});
        asked.command(Method::POST, "/v1/invitations/accept", &accepted).await?;
    }
    secret::keep(&mark, "")?;
    Ok(made)
}

/// The password in a file; drawn the first time.
fn password(path: &Path) -> Result<String, LaunchError> {
    if let Ok(kept) = std::fs::read_to_string(path)
        && !kept.trim().is_empty()
    {
        return Ok(kept.trim().to_owned());
    }
    let drawn = secret::draw()?;
    secret::keep(path, &drawn)?;
    Ok(drawn)
}

/// write-api, asked by an administrator for a shop.
struct Asked<'a> {
    http: Client,
    url: String,
    key: String,
    shop: &'a str,
}

impl Asked<'_> {
    async fn command(&self, method: Method, path: &str, body: &Value) -> Result<Value, LaunchError> {
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        crate::asked::answer(request.header("x-tenant-slug", self.shop).json(body), &self.url).await
    }
}
