//! Other users of the machine are strangers: without a password nobody gets at a stack's data, and no process shows one.

use crate::chaos::own_databases;
use acceptance::stack::{TestStack, env, programs};
use launcher::{postgres::Postgres, settings::Settings, stack::Stack};
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tokio::task::block_in_place;

/// A PostgreSQL that ends with its test.
struct Running(Postgres);

impl Drop for Running {
    fn drop(&mut self) {
        // What does not end here ends with the suite.
        let _ = self.0.crash();
    }
}

/// As any user of the machine would try it, over TCP and by the socket.
async fn without_a_password(settings: &Settings, postgres: &Postgres) -> Vec<Result<PgConnection, sqlx::Error>> {
    let nobody =
        PgConnectOptions::new_without_pgpass().port(settings.postgres_port).username("souk").database("postgres");
    let mut tried = Vec::new();
    for way in [nobody.clone().host("127.0.0.1"), nobody.clone().socket(postgres.folder())] {
        tried.push(way.connect().await);
    }
    tried
}

async fn rows(settings: &Settings) -> i64 {
    let url: PgConnectOptions = settings.admin_url().parse().expect("a URL");
    let mut owner = url.connect().await.expect("the password is known");
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS n").execute(&mut owner).await.expect("made");
    sqlx::query_scalar("SELECT count(*) FROM kept").fetch_one(&mut owner).await.expect("counted")
}

fn mode(file: &Path) -> u32 {
    file.metadata().expect("the passwords are kept").permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_trusted_everybody_asks_for_a_password_from_its_next_start_on() {
    let test = TestStack::prepare(false).await;
    let stack = Stack::new(own_databases(&test), programs()).expect("a stack");
    let settings = &stack.settings;
    let postgres = Running(stack.postgres().expect("a user to run it").expect("one of its own"));
    let rules = postgres.0.folder().join("data/pg_hba.conf");
    let file = settings.password_file().expect("a file");
    let mut seen = Vec::new();
    for round in 0..2 {
        if round == 1 {
            // As an earlier release has left it.
            block_in_place(|| postgres.0.stop()).expect("stopped");
            let text = std::fs::read_to_string(&rules).expect("rules");
            std::fs::write(&rules, text.replace("scram-sha-256", "trust")).expect("written");
            std::fs::remove_file(&file).expect("removed");
        }
        block_in_place(|| postgres.0.start()).expect("started");
        assert_eq!(rows(settings).await, 1, "the data is still there");
        for refused in without_a_password(settings, &postgres.0).await {
            let refused = refused.expect_err("nobody is let in").to_string();
            assert!(refused.contains("password authentication failed"), "{refused}");
        }
        assert_eq!(mode(&file), 0o600);
        seen.push(settings.admin_url());
    }
    assert_ne!(seen[0], seen[1], "a new password was drawn");
    block_in_place(|| postgres.0.stop().and_then(|_| postgres.0.start())).expect("started again");
    assert_eq!(settings.admin_url(), seen[1], "it stays");
    assert_eq!(rows(settings).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_shows_a_password() {
    let stack = TestStack::start(false).await;
    let file = std::fs::read_to_string(PathBuf::from(env("SOUK_TEST_ROLE_PASSWORDS"))).expect("the passwords");
    let passwords: Vec<&str> = file.lines().filter_map(|line| line.rsplit(':').next()).collect();
    assert!(passwords.len() > 1 && passwords.iter().all(|password| password.len() == 32));
    for service in stack.stack.services() {
        let name = service.name();
        let pid = stack.stack.processes.running(name).expect("it runs").pid;
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).expect("a command line");
        for (what, text) in [("command line", String::from_utf8_lossy(&line).into_owned()), ("log", stack.log(service))]
        {
            assert!(!text.is_empty() || what == "log", "{name}");
            assert!(!passwords.iter().any(|password| text.contains(password)), "the {what} of {name}");
        }
    }
}
