//! A server of its own beside a stack's, with settings that a test is about.

use crate::{
    eventually::eventually,
    shop::PATIENCE,
    stack::{TestStack, programs},
};
use launcher::suite;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// write-api or query-api once more, on the same databases; it ends with this.
#[derive(Debug)]
pub struct Beside {
    /// Host and port.
    pub address: String,
    _process: Child,
}

impl Beside {
    /// Starts a program with flags, and waits until it is ready.
    pub async fn start(stack: &TestStack, program: &str, flags: &[&str]) -> Self {
        let address = format!("127.0.0.1:{}", suite::free_port().expect("a port"));
        let settings = &stack.stack.settings;
        let listen = if program == "write-api" { "--write-listen" } else { "--query-listen" };
        let process = Command::new(programs().join(program))
            .env("SOUK_WRITE_DATABASE_URL", settings.write_url())
            .env("SOUK_QUERY_DATABASE_URL", settings.query_url())
            .env("SOUK_INDEX_DIR", stack.stack.index_dir())
            .env("SOUK_ADMIN_KEY", stack.stack.admin_key().expect("the admin key"))
            .args([listen, &address])
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("started");
        let beside = Self { address, _process: process };
        eventually("it is ready", PATIENCE, async || {
            let answer = reqwest::get(beside.url("/health/ready")).await.map_err(|error| error.to_string())?;
            if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
        })
        .await;
        beside
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
