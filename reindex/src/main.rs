//! The process of the operators' command.

use reindex::{Cli, Failure};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli: Cli = service::config::parse();
    let guard = match service::telemetry::init("reindex", &cli.settings.telemetry) {
        Ok(guard) => guard,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let json = cli.json;
    let outcome = reindex::run(cli).await;
    drop(guard);
    match outcome {
        Ok(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(Failure::Refused(refusal)) => {
            if json {
                println!("{}", serde_json::to_string_pretty(&refusal).unwrap_or_default());
            }
            eprintln!("refused: {refusal}");
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
