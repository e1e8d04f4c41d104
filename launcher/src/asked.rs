//! A request to write-api or query-api, and its answer as a person is told it.

use crate::{LaunchError, key::KeyArgs};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use std::time::Duration;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whose it is, and who asks.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ShopArgs {
    /// Slug of the tenant
    #[arg(long, env = "SOUK_TENANT", default_value = "demo")]
    pub(crate) tenant: String,
    #[command(flatten)]
    key: KeyArgs,
}

impl ShopArgs {
    /// A request to a server for this shop.
    ///
    /// # Errors
    /// If the client can't be built.
    pub(crate) fn request(&self, method: Method, server: &str, path: &str) -> Result<RequestBuilder, LaunchError> {
        Ok(request(&self.key, method, server, path)?.header("x-tenant-slug", &self.tenant))
    }
}

/// The shop of a command that changes something, and where it is sent.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CommandArgs {
    #[command(flatten)]
    pub(crate) shop: ShopArgs,
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    write_url: String,
    /// Why, for the shop's audit; at most 500 visible ASCII characters
    #[arg(long)]
    reason: Option<String>,
}

impl CommandArgs {
    /// Sends a command, with a body if there is one; gives the answer.
    ///
    /// # Errors
    /// What the server said, as a sentence.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, LaunchError> {
        let request = self.shop.request(method, &self.write_url, path)?;
        let request = self.reason.iter().fold(request, |request, reason| request.header("souk-reason", reason));
        let request = body.iter().fold(request, |request, body| request.json(body));
        answer(request, &self.write_url).await
    }
}

/// The shop of a list, and where it is read.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) shop: ShopArgs,
    /// Address of query-api
    #[arg(long, env = "SOUK_QUERY_URL", default_value = "http://127.0.0.1:8081")]
    query_url: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ListArgs {
    /// Reads a list of this name; none if it was printed as JSON already.
    ///
    /// # Errors
    /// What the server said, as a sentence.
    pub(crate) async fn read(&self, path: &str, name: &str) -> Result<Option<Vec<Value>>, LaunchError> {
        let listed = answer(self.shop.request(Method::GET, &self.query_url, path)?, &self.query_url).await?;
        if self.json {
            println!("{listed:#}");
            return Ok(None);
        }
        Ok(Some(listed[name].as_array().cloned().unwrap_or_default()))
    }
}

/// A request to a server, with the key.
///
/// # Errors
/// If the client can't be built.
pub(crate) fn request(key: &KeyArgs, method: Method, server: &str, path: &str) -> Result<RequestBuilder, LaunchError> {
    let client = Client::builder().timeout(PATIENCE).default_headers(key.headers(&[server])).build();
    let client = client.map_err(|error| LaunchError::Other(error.to_string()))?;
    Ok(client.request(method, format!("{server}{path}")))
}

/// Sends a request; gives the JSON of the answer.
///
/// # Errors
/// What the server said, or that it does not answer, as a sentence.
pub(crate) async fn answer(request: RequestBuilder, server: &str) -> Result<Value, LaunchError> {
    let silent = |error: reqwest::Error| LaunchError::Other(format!("{server} does not answer: {error}"));
    let answer = request.send().await.map_err(silent)?;
    let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap_or_default());
    if status.is_success() {
        return Ok(body);
    }
    let errors = body["errors"].as_array().into_iter().flatten().filter_map(|error| error["detail"].as_str());
    let said: Vec<&str> = body["title"].as_str().into_iter().chain(body["detail"].as_str()).chain(errors).collect();
    Err(LaunchError::Other(format!("{status}: {}", said.join(": "))))
}
