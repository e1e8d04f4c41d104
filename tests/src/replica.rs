//! More than one node: another query-api on the same index, nodes with an index of their own, and roles apart.

use crate::{
    eventually::eventually,
    shop::PATIENCE,
    stack::{TestStack, programs},
};
use launcher::{passwords::Role, stack::Service, suite};
use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Processes beside those of the stack, such as a query-api and the projector that keeps its index; they end with it.
pub struct Replica {
    children: Vec<Child>,
    url: String,
}

impl Replica {
    /// Another query-api on the stack's own index, ready.
    pub async fn beside(stack: &TestStack) -> Self {
        let listen = free_address();
        Self { children: Vec::new(), url: String::new() }.answering(stack, stack.stack.index_dir(), &listen).await
    }

    /// A node with an index of its own, ready.
    pub async fn node(stack: &TestStack, name: &str) -> Self {
        Self::node_at(stack, name, &free_address()).await
    }

    /// The same, with its query-api at an address.
    pub async fn node_at(stack: &TestStack, name: &str, listen: &str) -> Self {
        let replica = Self { children: vec![index_writer(stack, name)], url: String::new() };
        replica.answering(stack, Self::index_dir(stack, name), listen).await
    }

    /// The index folder of a node.
    #[must_use]
    pub fn index_dir(stack: &TestStack, name: &str) -> PathBuf {
        stack.stack.settings.data_dir.join(name)
    }

    /// A projector with one of the roles that have no index.
    #[must_use]
    pub fn role(stack: &TestStack, role: &str) -> Self {
        let mut projector = projector(stack, role);
        projector.env("SOUK_WRITE_DATABASE_URL", stack.stack.settings.write_url_as(Role::Projector));
        if let Some(partitions) = stack.stack.settings.topic_partitions {
            projector.arg("--topic-partitions").arg(partitions.to_string());
        }
        projector.arg("--archive-dir").arg(stack.stack.settings.archive_dir());
        Self { children: vec![started(projector)], url: String::new() }
    }

    /// `reindex serve`, with the index folder of a node.
    #[must_use]
    pub fn serving_operations(stack: &TestStack, node: &str) -> Self {
        let mut serve = Command::new(programs().join("reindex"));
        serve
            .env("SOUK_READ_DATABASE_URL", stack.stack.settings.read_url_as(Role::Reindex))
            .args(["--query-url", &stack.query_url()]);
        serve.arg("--index-dir").arg(Self::index_dir(stack, node)).args(["--node", node]);
        serve.env("SOUK_ADMIN_KEY", stack.stack.admin_key().expect("the admin key"));
        serve.args(["serve", "--operations-listen", &stack.stack.settings.operations_listen.to_string()]);
        serve.args(["--reconcile-seconds", "0", "--probe-interval-ms", "0", "--availability-seconds", "0"]);
        Self { children: vec![started(serve)], url: String::new() }
    }

    /// Ends the index writer of a node, lets its index be changed, and starts it again.
    pub fn while_nobody_writes(&mut self, stack: &TestStack, name: &str, change: impl FnOnce()) {
        if let Some(writer) = self.children.first_mut() {
            writer.kill().expect("killed");
            writer.wait().expect("ended");
            change();
            *writer = index_writer(stack, name);
        }
    }

    async fn answering(mut self, stack: &TestStack, index: PathBuf, listen: &str) -> Self {
        let mut query = Command::new(programs().join("query-api"));
        query.env("SOUK_QUERY_DATABASE_URL", stack.stack.settings.query_url()).args(["--query-listen", listen]);
        query.env("SOUK_ADMIN_KEY", stack.stack.admin_key().expect("the admin key"));
        query.arg("--index-dir").arg(index).args(["--operations-url", &stack.stack.url(Service::Operator)]);
        query.args(["--write-url", &stack.write_url()]);
        self.children.push(started(query));
        self.url = format!("http://{listen}");
        let ready = format!("{}/health/ready", self.url);
        eventually("a replica is ready", PATIENCE, || async {
            let answer = reqwest::get(&ready).await.map_err(|error| error.to_string())?;
            if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
        })
        .await;
        self
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        for child in &mut self.children {
            // One that has ended can't be killed any more.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_address() -> String {
    format!("127.0.0.1:{}", suite::free_port().expect("a port"))
}

fn projector(stack: &TestStack, role: &str) -> Command {
    let settings = &stack.stack.settings;
    let mut projector = Command::new(programs().join("projector"));
    projector.args(["--roles", role, "--projector-listen", &free_address()]);
    projector
        .env("SOUK_READ_DATABASE_URL", settings.read_url_as(Role::Projector))
        .args(["--kafka-brokers", &settings.brokers()]);
    projector.arg(format!("--topic-prefix={}", settings.topic_prefix));
    projector.envs(stack.kafka_security().environment());
    projector
}

fn index_writer(stack: &TestStack, name: &str) -> Child {
    let mut projector = projector(stack, "index");
    projector.args(["--node", name, "--scrub-seconds", "2"]);
    projector.arg("--index-dir").arg(Replica::index_dir(stack, name));
    started(projector)
}

fn started(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started")
}
