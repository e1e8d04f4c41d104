//! More that answers queries of a stack: another query-api on the same index, or a second node with an index of its own.

use crate::{
    eventually::eventually,
    shop::PATIENCE,
    stack::{TestStack, programs},
};
use launcher::{stack::Service, suite};
use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A query-api and, on a node of its own, the projector that keeps its index; they end with it.
pub struct Replica {
    children: Vec<Child>,
    url: String,
}

impl Replica {
    /// Another query-api on the stack's own index, ready.
    pub async fn beside(stack: &TestStack) -> Self {
        Self { children: Vec::new(), url: String::new() }.answering(stack, stack.stack.index_dir()).await
    }

    /// A node with an index of its own, ready.
    pub async fn node(stack: &TestStack, name: &str) -> Self {
        let (settings, folder) = (&stack.stack.settings, stack.stack.settings.data_dir.join(name));
        let listen = format!("127.0.0.1:{}", suite::free_port().expect("a port"));
        let mut projector = Command::new(programs().join("projector"));
        projector.args(["--roles", "index", "--node", name, "--projector-listen", &listen]);
        projector.args(["--read-database-url", &settings.read_url(), "--kafka-brokers", &settings.brokers()]);
        projector.arg(format!("--topic-prefix={}", settings.topic_prefix)).arg("--index-dir").arg(&folder);
        projector.args(["--scrub-seconds", "2"]);
        Self { children: vec![started(projector)], url: String::new() }.answering(stack, folder).await
    }

    async fn answering(mut self, stack: &TestStack, index: PathBuf) -> Self {
        let listen = format!("127.0.0.1:{}", suite::free_port().expect("a port"));
        let mut query = Command::new(programs().join("query-api"));
        query.args(["--query-listen", &listen, "--query-database-url", &stack.stack.settings.query_url()]);
        query.arg("--index-dir").arg(index).args(["--operations-url", &stack.stack.url(Service::Operator)]);
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

fn started(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started")
}
