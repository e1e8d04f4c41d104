//! A stand-in for an identity provider: it speaks OpenID Connect (Core 1.0, with Discovery 1.0) on loopback by http, lets in
//! whom it is told to, and fails when told to. It is as strict as the strictest: an address to come back to that it does not
//! know, a secret in the wrong place, a code without its verifier or a second time are refused.

mod endpoints;
mod keys;

pub use keys::Algorithm;

use keys::Key;
use reqwest::{Client, Url, redirect::Policy};
use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinHandle;

/// What a shop is called here.
pub const CLIENT_ID: &str = "shop of tests";
/// What a shop proves that by; in a header, signs such as these are escaped.
pub const CLIENT_SECRET: &str = "s3cret: +&% of tests";

/// Somebody whom the provider knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What the provider calls them.
    pub subject: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Whether the provider has proved it.
    pub is_verified: bool,
    /// Whether the address stands not in the ID token but is told to whom the access token is shown.
    pub is_apart: bool,
}

impl Person {
    /// Somebody whose address is proved.
    #[must_use]
    pub fn verified(subject: &str, email: &str) -> Self {
        Self { subject: subject.to_owned(), email: Some(email.to_owned()), is_verified: true, is_apart: false }
    }
}

/// What goes wrong from when it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The ID token answers another request.
    Nonce,
    /// It has no nonce.
    NoNonce,
    /// It is for another client.
    Audience,
    /// It is for another client, too.
    MoreAudiences,
    /// It was issued to another client.
    Party,
    /// It is of another issuer.
    Issuer,
    /// It is over.
    Expired,
    /// It is of the future.
    Early,
    /// It is not signed.
    Unsigned,
    /// It is signed with the public key as a shared secret.
    SharedSecret,
    /// It is signed with another key that has the same id.
    OtherKey,
    /// It is signed with a key that is not published.
    UnknownKey,
    /// There is none.
    NoToken,
    /// Nothing is answered.
    Slow,
    /// The server fails.
    Broken,
    /// Answers have 2 MiB.
    Long,
    /// Answers lead elsewhere.
    Redirect,
}

/// A code that was given out.
#[derive(Debug, Clone)]
struct Issued {
    challenge: String,
    nonce: Option<String>,
    return_to: String,
    person: Person,
}

/// What all requests share.
struct State {
    issuer: String,
    key: Key,
    rotations: usize,
    return_to: Vec<String>,
    person: Option<Person>,
    fault: Option<Fault>,
    codes: HashMap<String, Issued>,
    /// Whose an access token is.
    access: HashMap<String, Person>,
    /// Requests by path.
    asked: HashMap<String, usize>,
}

type Shared = Arc<Mutex<State>>;

/// A running provider; it ends with this value.
pub struct OidcStandIn {
    state: Shared,
    serving: JoinHandle<()>,
}

impl OidcStandIn {
    /// A provider that signs in this way. It needs a runtime around it.
    ///
    /// # Errors
    /// If it can't listen.
    pub fn start(algorithm: Algorithm) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let state = Arc::new(Mutex::new(State {
            issuer,
            key: Key::generate(algorithm, "key-0"),
            rotations: 0,
            return_to: Vec::new(),
            person: None,
            fault: None,
            codes: HashMap::new(),
            access: HashMap::new(),
            asked: HashMap::new(),
        }));
        let router = endpoints::router(Arc::clone(&state));
        let serving = tokio::spawn(async move {
            // It ends with the value.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { state, serving })
    }

    /// Its address.
    #[must_use]
    pub fn issuer(&self) -> String {
        lock(&self.state).issuer.clone()
    }

    /// People may come back to this page.
    pub fn allow(&self, return_to: &str) {
        lock(&self.state).return_to.push(return_to.to_owned());
    }

    /// Whoever comes from here on is this person.
    pub fn let_in(&self, person: Person) {
        lock(&self.state).person = Some(person);
    }

    /// From here on this goes wrong, or nothing.
    pub fn fail(&self, fault: Option<Fault>) {
        lock(&self.state).fault = fault;
    }

    /// From here on it signs with another key, and publishes that one alone.
    pub fn rotate(&self) {
        let mut state = lock(&self.state);
        state.rotations += 1;
        let (algorithm, id) = (state.key.algorithm, format!("key-{}", state.rotations));
        state.key = Key::generate(algorithm, &id);
    }

    /// How often a path was asked.
    #[must_use]
    pub fn asked(&self, path: &str) -> usize {
        lock(&self.state).asked.get(path).copied().unwrap_or_default()
    }
}

impl Drop for OidcStandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a browser brings back from the page of a provider: the parameters of the page that it was sent to.
///
/// # Errors
/// What the provider says instead.
pub async fn visit(authorization_url: &str) -> Result<HashMap<String, String>, String> {
    let browser = Client::builder().redirect(Policy::none()).build().map_err(|error| error.to_string())?;
    let answer = browser.get(authorization_url).send().await.map_err(|error| error.to_string())?;
    let location = answer.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Some(location) = location else {
        return Err(answer.text().await.unwrap_or_else(|error| error.to_string()));
    };
    let url = Url::parse(&location).map_err(|error| error.to_string())?;
    Ok(url.query_pairs().into_owned().collect())
}
