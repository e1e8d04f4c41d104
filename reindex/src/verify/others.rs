//! The copies on other nodes. Their index writers compute the digests, since nobody else has their disks; a copy is proved
//! if its digest is that of the copy that was compared with the active generation.

use super::certificate::NodeProof;
use crate::{
    context::CommandContext,
    failure::{Failure, Refusal},
    phase::Phase,
};
use schemas::{Timestamp, Uuid};
use search::offsets::{self, Offsets};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How often it is looked what they have answered.
const LOOK: Duration = Duration::from_millis(50);
/// From what age of its last report on a node is gone, in seconds.
const GONE_AFTER: f64 = 10.0;

/// A node's copy, as its index writer reported it.
#[derive(Debug, sqlx::FromRow)]
struct NodeCopy {
    node: String,
    phase: Phase,
    offsets: Value,
    at: Timestamp,
    age: f64,
}

/// The other nodes of a verification.
pub struct Others {
    generation: String,
    verification: Uuid,
    except: Vec<String>,
    at_once: bool,
    /// Those that live.
    nodes: Vec<String>,
    /// Those that are gone, as sentences.
    pub left_out: Vec<String>,
}

impl Others {
    /// The nodes beside this one that have reported of late: they keep a copy of every generation.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(
        context: &CommandContext,
        generation: &str,
        except: Vec<String>,
        at_once: bool,
    ) -> Result<Self, Failure> {
        let nodes: Vec<(String, f64)> = sqlx::query_as(
            "SELECT node, extract(epoch FROM now() - max(heartbeat_at))::float8 FROM (
               SELECT node, heartbeat_at FROM index_nodes UNION ALL
               SELECT node, heartbeat_at FROM generation_copies UNION ALL
               SELECT node, heartbeat_at FROM query_nodes) AS reports
             WHERE node <> $1 GROUP BY node ORDER BY node",
        )
        .bind(&context.node)
        .fetch_all(&context.pool)
        .await?;
        let mut found = Self {
            generation: generation.to_owned(),
            verification: Uuid::now_v7(),
            except,
            at_once,
            nodes: nodes.iter().map(|(node, _)| node.clone()).collect(),
            left_out: Vec::new(),
        };
        found.leave_out(nodes.into_iter().filter(|(_, age)| *age > GONE_AFTER).collect());
        Ok(found)
    }

    fn leave_out(&mut self, gone: Vec<(String, f64)>) {
        for (node, age) in gone {
            self.nodes.retain(|known| *known != node);
            self.left_out.push(format!(
                "node {node} has been silent for {age:.0} s; once it is back, `reindex verify {}` again, or it holds up the promotion",
                self.generation
            ));
        }
    }

    /// Waits until their copies stand still; gives how far the furthest have read.
    ///
    /// # Errors
    /// [`Failure::TimedOut`] with those that don't.
    pub async fn paused(&mut self, context: &CommandContext, deadline: Instant) -> Result<Offsets, Failure> {
        let mut looks = tokio::time::interval(LOOK);
        // What was reported before is of an earlier verification.
        let since: Timestamp = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&context.pool).await?;
        loop {
            looks.tick().await;
            let copies = self.copies(context).await?;
            let still = |node: &&String| {
                let is_still = |copy: &NodeCopy| copy.at > since && matches!(copy.phase, Phase::Paused | Phase::Held);
                copies.get(*node).is_some_and(is_still)
            };
            let moving: Vec<&str> = self.nodes.iter().filter(|node| !still(node)).map(String::as_str).collect();
            if moving.is_empty() {
                let mut furthest = Offsets::new();
                for copy in copies.into_values() {
                    for (place, next) in offsets::of_topics(&offsets::parse(&copy.offsets.to_string())?) {
                        let known = furthest.entry(place).or_default();
                        *known = (*known).max(next);
                    }
                }
                return Ok(furthest);
            }
            if Instant::now() > deadline {
                return Err(self.silent("stand still", &moving));
            }
        }
    }

    /// Their copies; those that have fallen silent are left out from here on.
    async fn copies(&mut self, context: &CommandContext) -> Result<BTreeMap<String, NodeCopy>, Failure> {
        let copies: Vec<NodeCopy> = sqlx::query_as(
            "SELECT node, phase, offsets, heartbeat_at AS at, extract(epoch FROM now() - heartbeat_at)::float8 AS age
             FROM generation_copies WHERE generation = $1 AND node = ANY($2)",
        )
        .bind(&self.generation)
        .bind(&self.nodes)
        .fetch_all(&context.pool)
        .await?;
        let gone = copies.iter().filter(|copy| copy.age > GONE_AFTER).map(|copy| (copy.node.clone(), copy.age));
        self.leave_out(gone.collect());
        let alive = copies.into_iter().filter(|copy| copy.age <= GONE_AFTER);
        Ok(alive.map(|copy| (copy.node.clone(), copy)).collect())
    }

    fn silent(&self, what: &str, nodes: &[&str]) -> Failure {
        Failure::TimedOut(format!(
            "the copies of {} on {} don't {what}; are their index writers running, of this release?",
            self.generation,
            nodes.join(", ")
        ))
    }

    /// Asks for their digests at the given offsets.
    ///
    /// # Errors
    /// The database's.
    pub async fn ask(&self, context: &CommandContext, at: &Offsets) -> Result<(), Failure> {
        sqlx::query("DELETE FROM generation_proofs WHERE generation = $1")
            .bind(&self.generation)
            .execute(&context.pool)
            .await?;
        let at: Value = serde_json::from_str(&offsets::to_json(at))?;
        sqlx::query(
            "INSERT INTO generation_proofs (generation, node, verification, left_out, offsets, at_once)
             SELECT $1, node, $3, $4, $5, $6 FROM unnest($2::text[]) AS node",
        )
        .bind(&self.generation)
        .bind([self.nodes.as_slice(), std::slice::from_ref(&context.node)].concat())
        .bind(self.verification)
        .bind(&self.except)
        .bind(at)
        .bind(self.at_once)
        .execute(&context.pool)
        .await?;
        // This node's own copy is the one that is compared.
        self.told(context, &context.node, "standing", None).await
    }

    async fn told(
        &self,
        context: &CommandContext,
        node: &str,
        state: &str,
        proof: Option<&NodeProof>,
    ) -> Result<(), Failure> {
        sqlx::query(
            "UPDATE generation_proofs SET state = $4, documents = $5, digest = $6, at = now()
             WHERE generation = $1 AND node = $2 AND verification = $3",
        )
        .bind(&self.generation)
        .bind(node)
        .bind(self.verification)
        .bind(state)
        .bind(proof.map_or(0, |proof| i64::try_from(proof.documents).unwrap_or(i64::MAX)))
        .bind(proof.map(|proof| proof.digest.as_str()).unwrap_or_default())
        .execute(&context.pool)
        .await?;
        Ok(())
    }

    /// Waits until they have opened their copies at the offsets: from then on these may move.
    ///
    /// # Errors
    /// [`Failure::TimedOut`] with those that haven't; what hindered one.
    pub async fn standing(&mut self, context: &CommandContext, deadline: Instant) -> Result<(), Failure> {
        let mut looks = tokio::time::interval(LOOK);
        loop {
            looks.tick().await;
            self.copies(context).await?;
            let asked = self.in_state(context, &["asked"]).await?;
            if asked.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.silent(
                    "stand at the active one's offsets",
                    &asked.keys().map(String::as_str).collect::<Vec<_>>(),
                ));
            }
        }
    }

    /// Their proofs that are in one of some states, by node.
    async fn in_state(
        &self,
        context: &CommandContext,
        states: &[&str],
    ) -> Result<BTreeMap<String, NodeProof>, Failure> {
        let rows: Vec<(String, String, i64, String, String)> = sqlx::query_as(
            "SELECT node, state, documents, digest, error FROM generation_proofs
             WHERE generation = $1 AND verification = $2 AND node = ANY($3)",
        )
        .bind(&self.generation)
        .bind(self.verification)
        .bind(&self.nodes)
        .fetch_all(&context.pool)
        .await?;
        if rows.len() < self.nodes.len() {
            let why = format!("another verification of {} has begun, or a copy is being built anew", self.generation);
            return Err(Failure::refused("broken_off", why));
        }
        if let Some((node, .., error)) = rows.iter().find(|(_, state, ..)| state == "failed") {
            return Err(Failure::Other(format!("the copy of {} on node {node}: {error}", self.generation)));
        }
        let wanted = rows.into_iter().filter(|(_, state, ..)| states.contains(&state.as_str()));
        let proof =
            |documents: i64, digest| NodeProof { documents: u64::try_from(documents).unwrap_or_default(), digest };
        Ok(wanted.map(|(node, _, documents, digest, _)| (node, proof(documents, digest))).collect())
    }

    /// Waits for their digests and compares them with this node's; gives all of them.
    ///
    /// # Errors
    /// A refusal that names the nodes whose copy is another.
    pub async fn proved(
        &mut self,
        context: &CommandContext,
        own: NodeProof,
    ) -> Result<BTreeMap<String, NodeProof>, Failure> {
        let mut looks = tokio::time::interval(LOOK);
        let mut proved = loop {
            looks.tick().await;
            // Reading a large copy takes as long as it takes; a node that dies over it is left out.
            self.copies(context).await?;
            let proved = self.in_state(context, &["proved"]).await?;
            if proved.len() == self.nodes.len() {
                break proved;
            }
        };
        let others = proved.iter().filter(|(_, proof)| proof.digest != own.digest);
        let findings: Vec<String> = others
            .map(|(node, proof)| {
                format!(
                    "node {node}: its copy has {} documents and digest {}, the one on {} has {} and {}",
                    proof.documents, proof.digest, context.node, own.documents, own.digest
                )
            })
            .collect();
        if !findings.is_empty() {
            let detail = format!("not every node has the same copy of {}; nothing was promoted", self.generation);
            return Err(Failure::Refused(Refusal { code: "copies_differ", detail, findings }));
        }
        self.told(context, &context.node, "proved", Some(&own)).await?;
        proved.insert(context.node.clone(), own);
        Ok(proved)
    }
}
