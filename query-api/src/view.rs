//! Answers from views: kept as the bytes that are sent, until the views change.

use crate::{cache::Weigh, problem::Refusal};
use axum::{
    body::Bytes,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::fmt::Display;

/// An answer as it is sent.
#[derive(Debug, Clone)]
pub struct View {
    json: Bytes,
    etag: Option<HeaderValue>,
}

impl View {
    /// Of an answer without a version.
    ///
    /// # Errors
    /// If the answer can't be written as JSON, which is a defect.
    pub fn of(answer: &impl Serialize) -> Result<Self, Refusal> {
        Ok(Self { json: serde_json::to_vec(answer)?.into(), etag: None })
    }

    /// With the version as its `ETag`: what `If-Match` of a command has to name.
    #[must_use]
    pub fn version(self, version: impl Display) -> Self {
        Self { etag: HeaderValue::from_str(&format!("\"{version}\"")).ok(), ..self }
    }

    /// As an HTTP answer.
    #[must_use]
    pub fn response(&self) -> Response {
        let mut response = ([(header::CONTENT_TYPE, "application/json")], self.json.clone()).into_response();
        if let Some(etag) = &self.etag {
            response.headers_mut().insert(header::ETAG, etag.clone());
        }
        response
    }
}

impl Weigh for View {
    fn bytes(&self) -> usize {
        self.json.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_etag() {
        let view = View::of(&"a").expect("a view").version(7);
        assert_eq!(view.response().headers()[header::ETAG], "\"7\"");
        assert_eq!(view.response().headers()[header::CONTENT_TYPE], "application/json");
    }
}
