//! Startup, liveness and readiness, apart: `/health/startup`, `/health/live`, `/health/ready`.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The state of a process's parts, shared between those who know and the routes that tell.
#[derive(Debug, Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<String, Part>>>,
}

#[derive(Debug, Clone, Serialize)]
struct Part {
    ready: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip)]
    was_ready: bool,
    #[serde(skip)]
    dead: bool,
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    parts: BTreeMap<String, Part>,
}

impl Health {
    /// Names a part that must become ready.
    pub fn expect(&self, part: &str) {
        self.set(part, false, "starting");
    }

    /// Says whether a part is ready now, and why not.
    pub fn set(&self, part: &str, ready: bool, detail: &str) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = parts.entry(part.to_owned()).or_insert(Part {
            ready: false,
            detail: String::new(),
            was_ready: false,
            dead: false,
        });
        known.ready = ready;
        known.was_ready |= ready;
        known.detail = if ready { String::new() } else { detail.to_owned() };
    }

    /// Says that a part has ended for good: the process is no longer alive and should be restarted.
    pub fn dead(&self, part: &str, detail: &str) {
        self.set(part, false, detail);
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = parts.get_mut(part) {
            part.dead = true;
        }
    }

    /// Whether every part named so far is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.report(|part| part.ready).ok
    }

    /// Whether no part has ended for good.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.report(|part| !part.dead).ok
    }

    fn report(&self, good: fn(&Part) -> bool) -> Report {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Report { ok: parts.values().all(good), parts }
    }

    /// The three routes.
    pub fn routes(&self) -> Router {
        Router::new()
            .route(
                "/health/startup",
                get(|State(health): State<Self>| async move { answer(health.report(|p| p.was_ready)) }),
            )
            .route("/health/live", get(|State(health): State<Self>| async move { answer(health.report(|p| !p.dead)) }))
            .route("/health/ready", get(|State(health): State<Self>| async move { answer(health.report(|p| p.ready)) }))
            .with_state(self.clone())
    }
}

fn answer(report: Report) -> (StatusCode, Json<Report>) {
    (if report.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(report))
}
