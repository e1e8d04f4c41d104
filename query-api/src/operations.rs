//! Where operations are passed on to.

/// Where operations go.
#[derive(Debug, Clone)]
pub struct Operations {
    /// The address of `reindex serve`, such as `http://127.0.0.1:8084`.
    pub url: String,
    /// The client.
    pub http: reqwest::Client,
}
