//! Where that is passed on to which people with accounts want: signing in, and what is theirs.

use reqwest::{Client, Url, redirect::Policy};

/// write-api, as this process reaches it.
#[derive(Debug, Clone)]
pub struct WriteApi {
    /// Its address, such as `http://127.0.0.1:8080`.
    pub url: Url,
    /// The client.
    pub http: Client,
}

impl WriteApi {
    /// At an address.
    #[must_use]
    pub fn at(url: Url) -> Self {
        // The shop's host goes on as it came. Over HTTP/2 the address would name another one beside it.
        let client = Client::builder().http1_only().no_proxy().redirect(Policy::none());
        let http = client.build().unwrap_or_else(|error| {
            tracing::error!(%error, "a client can't be made with its settings; that without any is taken");
            Client::new()
        });
        Self { url, http }
    }
}
