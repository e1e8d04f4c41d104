//! The projector's process.

use projector::Config;
use service::shutdown::Shutdown;
use std::process::ExitCode;

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
