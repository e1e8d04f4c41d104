//! The body of a bulk write, piece by piece, each in time.

use super::Stop;
use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt;
use schemas::problem::{Code, Problem};
use std::time::Duration;

/// A body that comes.
pub(super) struct Frames {
    body: BodyDataStream,
    gap: Duration,
}

impl Frames {
    /// With the longest wait for a piece.
    pub(super) fn new(body: Body, gap: Duration) -> Self {
        Self { body: body.into_data_stream(), gap }
    }

    /// The next piece, or nothing at the end. May be dropped and asked again: no piece is lost.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        let (code, what) = match tokio::time::timeout(self.gap, self.body.next()).await {
            Ok(Some(Ok(piece))) => return Ok(Some(piece)),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => (Code::InvalidRequest, "the stream broke off".to_owned()),
            Err(_) => (Code::RequestTimeout, format!("nothing came for {} ms", self.gap.as_millis())),
        };
        let detail = format!("{what}; what was answered before stands, unless it was one transaction");
        Err(Stop::Problem(Problem::new(code).detail(detail)))
    }
}
