//! Bodies that are watched: those that come, by a deadline, and those that go, until they have gone.

use super::activity::InHand;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::{
    sync::Notify,
    time::{Instant, Sleep},
};

/// Somebody else looks after the body. Zero is a deadline that runs.
const LIFTED: u8 = 1;
/// The body was given up.
const PASSED: u8 = 2;

/// By when the body of a request has to be there; an extension of each request that has a body.
#[derive(Debug, Clone, Default)]
pub struct BodyDeadline(Arc<Coming>);

#[derive(Debug, Default)]
struct Coming {
    state: AtomicU8,
    /// The body is there, or nobody reads it any more.
    over: Notify,
}

impl BodyDeadline {
    /// Lifts the deadline: who reads the body sees to it that it comes in time, and answers when all of it has come.
    pub fn lift(&self) {
        self.0.state.store(LIFTED, Ordering::Relaxed);
    }

    /// Whether somebody else looks after the body.
    pub(super) fn is_lifted(&self) -> bool {
        self.0.state.load(Ordering::Relaxed) == LIFTED
    }

    /// Whether the body was given up.
    pub(super) fn has_passed(&self) -> bool {
        self.0.state.load(Ordering::Relaxed) == PASSED
    }

    /// Waits until the body is there, or nobody reads it any more; for one who asks once.
    pub(super) async fn over(&self) {
        self.0.over.notified().await;
    }
}

/// The body of a request, by its deadline.
pub(super) struct InTime {
    body: Incoming,
    until: Instant,
    deadline: BodyDeadline,
    /// Made only where the body is waited for.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl InTime {
    pub(super) const fn new(body: Incoming, until: Instant, deadline: BodyDeadline) -> Self {
        Self { body, until, deadline, alarm: None }
    }
}

impl hyper::body::Body for InTime {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            if frame.is_none() || this.body.is_end_stream() {
                this.deadline.0.over.notify_one();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        if this.deadline.is_lifted() {
            return Poll::Pending;
        }
        let until = this.until;
        let alarm = this.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        ready!(alarm.as_mut().poll(cx));
        this.deadline.0.state.store(PASSED, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for InTime {
    fn drop(&mut self) {
        self.deadline.0.over.notify_one();
    }
}

/// The body of an answer. As long as it is there, its request is in hand.
pub(super) struct Outgoing {
    body: Body,
    _in_hand: InHand,
}

impl Outgoing {
    pub(super) const fn new(body: Body, in_hand: InHand) -> Self {
        Self { body, _in_hand: in_hand }
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
