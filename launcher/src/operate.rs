//! `souk reindex`: the operators' commands, told where this stack's databases, index and keys are.

use crate::{
    LaunchError,
    passwords::Role,
    settings::Settings,
    stack::{Service, Stack},
};
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

/// Operate the read models: build, verify, promote, roll back; settle dead letters (`souk reindex --help`)
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// The arguments of `reindex`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub arguments: Vec<String>,
    /// The stack.
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs `reindex` for this stack in the foreground. Settings in the environment take precedence.
///
/// # Errors
/// If it can't be started.
pub fn run(args: Args, programs: PathBuf) -> Result<ExitStatus, LaunchError> {
    let program = programs.join("reindex");
    let mut command = Command::new(&program);
    // Help is for everybody, also where nothing has been started.
    if args.arguments.is_empty() {
        command.arg("--help");
    }
    command.args(&args.arguments);
    let stack = Stack::new(args.settings, programs)?;
    let settings = &stack.settings;
    let mut known = vec![
        ("SOUK_READ_DATABASE_URL", settings.read_url_as(Role::Reindex)),
        ("SOUK_WRITE_DATABASE_URL", settings.write_url_as(Role::Reindex)),
        ("SOUK_KAFKA_BROKERS", settings.brokers()),
        ("SOUK_TOPIC_PREFIX", settings.topic_prefix.clone()),
        ("SOUK_INDEX_DIR", stack.index_dir().display().to_string()),
        ("SOUK_QUERY_URL", stack.url(Service::QueryApi)),
        ("SOUK_WRITE_URL", stack.url(Service::WriteApi)),
    ];
    if Path::new(&settings.data_dir).exists() {
        known.push(("SOUK_ADMIN_KEY", stack.admin_key()?));
        known.extend(stack.kafka_security()?.environment());
    }
    for (name, value) in known.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()) {
        command.env(name, value);
    }
    command.status().map_err(|error| LaunchError::Other(format!("{} could not be run: {error}", program.display())))
}
