//! What every long-running process of souk needs and none should do in its own way: configuration
//! from flags, environment and one TOML file, logs and traces, metrics, health, correlation ids,
//! database pools, jobs, supervised tasks, serving HTTP and stopping cleanly. No domain, no queries.

pub mod config;
pub mod database;
pub mod health;
pub mod http;
pub mod jobs;
pub mod json;
pub mod kafka;
pub mod metrics;
pub mod openapi;
pub mod refusals;
pub mod request;
pub mod shutdown;
pub mod supervisor;
pub mod telemetry;

pub use health::Health;
pub use metrics::Metrics;
pub use refusals::Refusals;
pub use request::RequestContext;
pub use supervisor::Supervisor;
