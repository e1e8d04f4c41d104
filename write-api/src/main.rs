//! The `write-api` binary.

use service::{config, shutdown::Shutdown, telemetry};
use std::process::ExitCode;
use write_api::config::{Command, Config};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = config::parse();
    if config.command == Some(Command::Openapi) {
        print!("{}", write_api::openapi_json());
        return ExitCode::SUCCESS;
    }
    let telemetry = match telemetry::init("write-api", &config.telemetry) {
        Ok(guard) => guard,
        Err(reason) => {
            eprintln!("error: {reason}");
            return ExitCode::from(2);
        }
    };
    let result = write_api::run(config, Shutdown::on_signals()).await;
    drop(telemetry);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
