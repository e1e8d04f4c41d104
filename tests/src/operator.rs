//! An operator at a stack: the very commands of `reindex`, in this process or as a process that can be killed.

use crate::stack::{COMMAND, TestStack, programs};
use clap::Parser;
use launcher::passwords::Role;
use reindex::{Cli, Failure};
use search::bundle::Bundle;
use serde_json::Value;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

/// An operator.
#[derive(Debug, Clone)]
pub struct Operator {
    settings: Vec<String>,
    database: String,
    key: String,
    program: std::path::PathBuf,
}

impl Operator {
    /// An operator of a stack.
    #[must_use]
    pub fn of(stack: &TestStack) -> Self {
        Self::at(stack, &stack.stack.index_dir())
    }

    /// An operator of a stack who reads the index folder of a node.
    #[must_use]
    pub fn at(stack: &TestStack, index_dir: &Path) -> Self {
        let settings = [
            "--index-dir".to_owned(),
            index_dir.display().to_string(),
            "--query-url".to_owned(),
            stack.query_url(),
            "--actor".to_owned(),
            "tester".to_owned(),
        ];
        let key = stack.stack.admin_key().expect("the admin key");
        let database = stack.stack.settings.read_url_as(Role::Reindex);
        Self { settings: settings.to_vec(), database, key, program: programs().join("reindex") }
    }

    fn line(&self, arguments: &[&str]) -> Vec<String> {
        let own = arguments.iter().map(|argument| (*argument).to_owned());
        own.chain(self.settings.iter().cloned()).chain(["--json".to_owned()]).collect()
    }

    /// Runs a command; gives its JSON.
    ///
    /// # Errors
    /// As the command does.
    pub async fn run(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let secrets = ["--read-database-url", &self.database, "--admin-key", &self.key].map(str::to_owned);
        let line = std::iter::once("reindex".to_owned()).chain(self.line(arguments)).chain(secrets);
        let cli = Cli::try_parse_from(line).map_err(|error| Failure::Other(error.to_string()))?;
        let run = tokio::time::timeout(COMMAND, reindex::run(cli)).await;
        let text = run.map_err(|_| Failure::Other("it has not ended".to_owned()))??;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Runs a command that must succeed.
    pub async fn does(&self, arguments: &[&str]) -> Value {
        self.run(arguments).await.unwrap_or_else(|error| unreachable!("{arguments:?}: {error}"))
    }

    /// Starts a command as a process of its own.
    #[must_use]
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(&self.program);
        command.env("SOUK_READ_DATABASE_URL", &self.database).env("SOUK_ADMIN_KEY", &self.key);
        command.args(self.line(arguments)).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("started")
    }
}

/// A bundle's file beside a stack's data.
#[must_use]
pub fn bundle_file(stack: &TestStack, bundle: &Bundle) -> String {
    let path = stack.stack.settings.data_dir.join(format!("{}.json", bundle.name));
    std::fs::write(&path, bundle.canonical().expect("text")).expect("written");
    path.display().to_string()
}

/// The generation that a command's outcome is about.
#[must_use]
pub fn generation_of(outcome: &Value) -> String {
    outcome["generation"].as_str().expect("a generation").to_owned()
}
