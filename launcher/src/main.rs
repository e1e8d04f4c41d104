//! `souk`: the launcher's commands.

use clap::Parser;
use launcher::{
    LaunchError, apache, audit, backup, broker, demo, eval, import, invariants, keys, migrate, operate,
    restore::{self, recover},
    roles,
    settings::Settings,
    stack::Stack,
    status, suite, tenants, up, users,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// A commerce backend: commands in, events through Kafka, search out.
#[derive(Debug, Parser)]
#[command(
    name = "souk",
    version,
    after_help = "Examples:\n  souk up --demo\n  souk import products.ndjson.gz --mapping electronics\n  souk status\n  souk down\n\nEvery flag can also be set in a TOML file (--config FILE) or in the environment as SOUK_<FLAG>."
)]
enum Cli {
    Up(up::Args),
    /// Stop everything that `up` started
    Down(StackArgs),
    Status(status::Args),
    /// Print the log of a process: broker, write-api, projector, projector-embed, query-api, reindex, postgres
    Logs(LogArgs),
    /// Stop everything and delete all data of this stack
    Reset(ResetArgs),
    Import(Box<import::Args>),
    Eval(eval::Args),
    /// Generate and load the demo catalog
    Demo(demo::Args),
    Key(keys::Args),
    Tenant(tenants::Args),
    User(users::Args),
    Role(roles::Args),
    Audit(Box<audit::Args>),
    Invariants(Box<invariants::Args>),
    Backup(backup::Args),
    Restore(restore::Args),
    Recover(recover::Args),
    Reindex(operate::Args),
    Migrate(migrate::Args),
    Broker(broker::Args),
    /// Run Apache Kafka in the foreground; fetches it from Maven Central first
    Kafka(StackArgs),
    Test(suite::Args),
    Bench(BenchArgs),
    DemoOrders(DemoOrdersArgs),
    /// Write a bill of materials of each program (CycloneDX), to a folder or to sbom/
    Sbom(SbomArgs),
    /// Draw docs/diagrams.md anew from the code: state machines and the context map
    Diagrams(DiagramsArgs),
}

#[derive(Debug, clap::Args)]
struct DiagramsArgs {
    /// Only say whether it is as the code is
    #[arg(long)]
    check: bool,
}

#[derive(Debug, clap::Args)]
struct SbomArgs {
    /// Where to write
    folder: Option<PathBuf>,
}

/// Measure search, lag, ingest and rebuilds, here and beside other engines
///
/// The script `souk` builds the measuring program for it and starts that at once; `souk bench --help` lists its commands.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
struct BenchArgs {
    /// What to measure, and how
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Have seeded shoppers order, beside faults if you want, and check what has to hold
///
/// The script `souk` builds the program for it and starts that at once; `souk demo-orders --help` tells more.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
struct DemoOrdersArgs {
    /// How many shoppers, and what goes wrong
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(Debug, clap::Args)]
struct StackArgs {
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
struct LogArgs {
    /// Name of the process
    name: String,
    /// Keep printing as the log grows
    #[arg(short, long)]
    follow: bool,
    /// Number of lines to print, from the end
    #[arg(short = 'n', long, default_value_t = 50)]
    lines: u32,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
struct ResetArgs {
    /// Delete without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli: Cli = service::config::parse();
    match run(cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, LaunchError> {
    let other = |error: &dyn std::fmt::Display| LaunchError::Other(error.to_string());
    match cli {
        Cli::Up(args) => up::run(args, programs()?).await?,
        Cli::Down(args) => down(args.settings)?,
        Cli::Status(args) => status::run(args, programs()?).await?,
        Cli::Logs(args) => logs(&args)?,
        Cli::Reset(args) => reset(args)?,
        Cli::Import(args) => import::run(*args).await.map_err(|error| other(&error))?,
        Cli::Eval(args) => eval::run(args).await.map_err(|error| other(&error))?,
        Cli::Demo(args) => demo::run(args).await.map_err(|error| other(&error))?,
        Cli::Key(args) => keys::run(args).await?,
        Cli::Tenant(args) => tenants::run(args).await?,
        Cli::User(args) => users::run(args).await?,
        Cli::Role(args) => roles::run(args).await?,
        Cli::Audit(args) => return Ok(if audit::run(*args).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Cli::Invariants(args) => {
            return Ok(if invariants::run(*args).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Cli::Backup(args) => {
            let report = backup::run(&args, programs()?).await?;
            tell(args.json, &report, backup::print)?;
        }
        Cli::Restore(args) => {
            let report = restore::run(&args, programs()?).await?;
            tell(args.json, &report, restore::print)?;
        }
        Cli::Recover(args) => {
            let report = recover::run(&args).await?;
            tell(args.json, &report, |report| println!("{report}"))?;
        }
        Cli::Reindex(args) => return Ok(exit_code(operate::run(args, programs()?)?.code())),
        Cli::Migrate(args) => migrate::run(&args.write_database_url, &args.read_database_url).await?,
        Cli::Broker(args) => broker::run(args).await?,
        Cli::Kafka(args) => {
            let jars = apache::fetch(&args.settings.cache())?;
            let folder = args.settings.data_folder().map_err(|error| other(&error))?.join("kafka");
            let status = apache::command(&jars, &folder, args.settings.broker_listen)?
                .status()
                .map_err(|error| other(&error))?;
            return Ok(exit_code(status.code()));
        }
        Cli::Test(args) => {
            let settings = Settings::from_environment().map_err(|error| other(&error))?;
            return Ok(exit_code(Some(suite::run(args, settings, programs()?).await?)));
        }
        Cli::Sbom(args) => {
            let folder = args.folder.map_or_else(String::new, |folder| format!(" {}", folder.display()));
            // It is made of the source, which this program need not have.
            return Err(LaunchError::Other(format!("the script beside the source makes it: ./souk sbom{folder}")));
        }
        Cli::Diagrams(args) => {
            let check = if args.check { " --check" } else { "" };
            // Tests know what is drawn.
            return Err(LaunchError::Other(format!("the script beside the source does it: ./souk diagrams{check}")));
        }
        Cli::Bench(args) => return measuring(args.arguments),
        Cli::DemoOrders(args) => return measuring(std::iter::once("orders".into()).chain(args.arguments)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Hands over to the program that measures.
fn measuring(arguments: impl IntoIterator<Item = OsString>) -> Result<ExitCode, LaunchError> {
    let program = programs()?.join("souk-bench");
    let status = Command::new(&program).args(arguments).status();
    let missing = |error| LaunchError::Other(format!("{}: {error}; ./souk bench builds it", program.display()));
    Ok(exit_code(status.map_err(missing)?.code()))
}

fn tell<T: serde::Serialize>(json: bool, report: &T, print: impl Fn(&T)) -> Result<(), LaunchError> {
    if json {
        println!("{}", serde_json::to_string_pretty(report).map_err(|error| LaunchError::Other(error.to_string()))?);
    } else {
        print(report);
    }
    Ok(())
}

fn exit_code(code: Option<i32>) -> ExitCode {
    ExitCode::from(u8::try_from(code.unwrap_or(1)).unwrap_or(1))
}

/// The folder of this program and its siblings.
fn programs() -> Result<PathBuf, LaunchError> {
    let own = std::env::current_exe()
        .map_err(|error| LaunchError::Other(format!("this program does not know where it is: {error}")))?;
    Ok(own.parent().unwrap_or_else(|| Path::new(".")).to_owned())
}

fn down(settings: Settings) -> Result<(), LaunchError> {
    let stopped = Stack::new(settings, programs()?)?.stop_all()?;
    if stopped.is_empty() {
        println!("nothing was running");
    } else {
        println!("stopped {}", stopped.join(", "));
    }
    Ok(())
}

fn logs(args: &LogArgs) -> Result<(), LaunchError> {
    let stack = Stack::new(args.settings.clone(), programs()?)?;
    let mut log = stack.processes.log(&args.name);
    if let (true, Some(postgres)) = (args.name == "postgres", stack.postgres()?) {
        log = postgres.log().to_owned();
    }
    if !log.exists() {
        return Err(LaunchError::Other(format!(
            "there is no log of `{}` in {}; the processes are broker, write-api, projector, projector-embed, query-api, reindex and postgres",
            args.name,
            stack.settings.data_dir.display()
        )));
    }
    let mut tail = Command::new("tail");
    tail.arg("-n").arg(args.lines.to_string());
    if args.follow {
        tail.arg("-F");
    }
    tail.arg(&log).status().map_err(|error| LaunchError::Other(format!("tail could not be run: {error}")))?;
    Ok(())
}

fn reset(args: ResetArgs) -> Result<(), LaunchError> {
    let stack = Stack::new(args.settings, programs()?)?;
    let postgres = stack.postgres()?.map(|postgres| postgres.folder().to_owned());
    let folder = stack.settings.data_dir.clone();
    if !args.yes {
        println!(
            "This deletes {} with all products, prices, stock and events of this stack. Type `yes` to go on:",
            folder.display()
        );
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(|error| LaunchError::Other(error.to_string()))?;
        if answer.trim() != "yes" {
            return Err(LaunchError::Other("nothing was deleted".to_owned()));
        }
    }
    stack.stop_all()?;
    for path in postgres.iter().chain([&folder]) {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(LaunchError::Other(format!("{} could not be deleted: {error}", path.display())));
            }
            _ => {}
        }
    }
    println!("deleted {}", folder.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_help_lists_every_command_that_the_script_knows() {
        let (_, arms) = include_str!("../../souk").split_once("case \"${1:-}\" in").expect("the choice of a command");
        let arms = arms.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(')'));
        let names = arms.filter(|arm| !arm.starts_with([' ', '*'])).flat_map(|arm| arm.split(" | "));
        let known: Vec<&str> = names.collect();
        assert!(known.contains(&"bench") && known.contains(&"up"), "{known:?}");
        let help = Cli::command().render_help().to_string();
        for name in known {
            assert!(help.contains(&format!("\n  {name} ")), "{name} is not in\n{help}");
        }
    }
}
