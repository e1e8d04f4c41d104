//! The projector's process.

use projector::Config;
use service::shutdown::Shutdown;
use std::process::ExitCode;

// Documents are made on one thread and freed on another: the C library's allocator spends a fifth of an index
// writer's time on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = service::config::parse();
    let guard = match service::telemetry::init("projector", &config.telemetry) {
        Ok(guard) => guard,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let outcome = projector::run(config, Shutdown::on_signals()).await;
    drop(guard);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
