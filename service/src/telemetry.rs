//! Structured logs on standard error, and OpenTelemetry spans by OTLP over HTTP when an endpoint is set.

use clap::{Args, ValueEnum};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

/// Flags that every service takes.
#[derive(Debug, Clone, Args)]
pub struct TelemetryOptions {
    /// Log filter, in the syntax of tracing-subscriber's `EnvFilter`
    #[arg(long, env = "SOUK_LOG", default_value = "info")]
    pub log: String,
    /// Format of log lines
    #[arg(long, env = "SOUK_LOG_FORMAT", value_enum, default_value = "json")]
    pub log_format: LogFormat,
    /// OTLP/HTTP collector to send spans to, such as http://127.0.0.1:4318/v1/traces; none if absent
    #[arg(long, env = "SOUK_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

/// Sends the spans that are left when it is dropped.
#[derive(Debug)]
pub struct TelemetryGuard {
    provider: Option<SdkTracerProvider>,
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.provider.take().map(|provider| provider.shutdown()) {
            eprintln!("spans could not be sent at the end: {error}");
        }
    }
}

/// Starts logging and, if configured, tracing. Call once, inside the runtime.
///
/// # Errors
/// If the filter or the endpoint can't be understood.
pub fn init(service: &'static str, options: &TelemetryOptions) -> Result<TelemetryGuard, String> {
    let filter = EnvFilter::try_new(&options.log).map_err(|error| format!("--log {}: {error}", options.log))?;
    let output = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(true);
    let logs = match options.log_format {
        LogFormat::Json => output.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Text => output.boxed(),
    };
    let provider = options.otlp_endpoint.as_deref().map(|endpoint| provider(service, endpoint)).transpose()?;
    // The road is traced whole, however little of it is logged.
    let traced = Targets::new().with_default(LevelFilter::INFO).with_targets(
        ["projector", "query_api", "search", "service", "write_api"].map(|part| (part, LevelFilter::DEBUG)),
    );
    let spans = provider
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer(service)).with_filter(traced));
    tracing_subscriber::registry()
        .with(logs.with_filter(filter))
        .with(spans)
        .try_init()
        .map_err(|error| error.to_string())?;
    Ok(TelemetryGuard { provider })
}

/// Where a collector takes traces, by its base address or in full.
fn traces_url(endpoint: &str) -> String {
    const PATH: &str = "/v1/traces";
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.ends_with(PATH) { endpoint.to_owned() } else { format!("{endpoint}{PATH}") }
}

fn provider(service: &'static str, endpoint: &str) -> Result<SdkTracerProvider, String> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(traces_url(endpoint))
        .build()
        .map_err(|error| format!("--otlp-endpoint {endpoint}: {error}"))?;
    let resource = Resource::builder().with_service_name(service).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
