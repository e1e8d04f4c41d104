//! `reindex replay`: a projection reads again what it has read. Versions make that harmless: what is known stays as
//! it is, and what was lost or spoilt by hand below its version comes back only by `reindex views build`.

use crate::{context::CommandContext, failure::Failure, generations};
use clap::{Parser, ValueEnum};
use eventlog::{Offsets, checkpoint};
use projector::{Config, embeddings, log_epoch, registry};
use serde::Serialize;
use serde_json::json;
use service::kafka::KafkaSecurity;
use std::fmt;

/// Who reads again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Projection {
    /// The views, from the domain topics
    Views,
    /// The index: every document is published once more
    Index,
    /// The vectors, from the document topic
    Embed,
}

/// Read a topic again from an earlier offset
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex replay --projection embed --from beginning\n  reindex replay --projection views --from souk.catalog.v1:2:1800   # one partition\n  reindex replay --projection index --from beginning --tenant demo\n  reindex replay --projection views --from -5000                     # the last 5,000 records of each partition"
)]
pub struct Args {
    /// The projection that reads again
    #[arg(long, value_enum)]
    pub projection: Projection,
    /// `beginning`, `-N` for the last N records of each partition, or topic:partition:offset. The index takes `beginning` only
    #[arg(long, allow_hyphen_values = true)]
    pub from: Place,
    /// Kafka bootstrap servers, comma separated
    #[arg(long, env = "SOUK_KAFKA_BROKERS", default_value = "127.0.0.1:9092")]
    pub kafka_brokers: String,
    /// Who this process is to Kafka.
    #[command(flatten)]
    pub security: KafkaSecurity,
    /// Prefix of every topic name
    #[arg(long, env = "SOUK_TOPIC_PREFIX", default_value = "")]
    pub topic_prefix: String,
    /// Only the documents of this shop, by slug or id (index)
    #[arg(long, value_name = "SHOP")]
    pub tenant: Option<String>,
    /// Only say what would be read again
    #[arg(long)]
    pub dry_run: bool,
}

/// A place to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The first record there is.
    Beginning,
    /// So many records before where each partition is now.
    Back(i64),
    /// One partition of one topic.
    At(String, i32, i64),
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "beginning" {
            return Ok(Self::Beginning);
        }
        if let Some(records) = text.strip_prefix('-').and_then(|records| records.parse().ok()) {
            return Ok(Self::Back(records));
        }
        let mut parts = text.rsplitn(3, ':');
        let (offset, partition, topic) = (parts.next(), parts.next(), parts.next());
        match (topic, partition.and_then(|p| p.parse().ok()), offset.and_then(|o| o.parse().ok())) {
            (Some(topic), Some(partition), Some(offset)) => Ok(Self::At(topic.to_owned(), partition, offset)),
            _ => Err(format!("`{text}` is neither `beginning`, nor -N, nor topic:partition:offset")),
        }
    }
}

/// What is read again.
#[derive(Debug, Clone, Serialize)]
pub struct Replayed {
    /// Who reads.
    pub projection: String,
    /// Records, or for the index documents, that are read again.
    pub records: i64,
    /// Whether it was only asked.
    pub dry_run: bool,
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.dry_run { "would read" } else { "reads" };
        writeln!(f, "{} {verb} {} records again; `reindex status` shows how far it is", self.projection, self.records)
    }
}

/// Has a projection read again.
///
/// # Errors
/// A refusal if the place is none that can be read from.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Replayed, Failure> {
    let (projection, records) = match args.projection {
        Projection::Index => ("index".to_owned(), publish_documents(context, args).await?),
        _ if args.tenant.is_some() => {
            let why = "a topic holds all tenants: only the index can be given one tenant's documents again; \
                       `reindex reconcile --all --tenant` composes them anew";
            return Err(Failure::refused("not_by_tenant", why));
        }
        Projection::Views => ("views".to_owned(), step_back(context, args, &registry::names()).await?),
        Projection::Embed => {
            let name = embeddings::projection(&generations::active(context).await?.manifest()?.bundle.model);
            let records = step_back(context, args, &[&name]).await?;
            (name, records)
        }
    };
    if !args.dry_run {
        context.record(&context.pool, "projection.replay", &projection, json!({"records": records})).await?;
    }
    Ok(Replayed { projection, records, dry_run: args.dry_run })
}

/// Every copy of the index, on every node, keeps its place with itself; so the records come to it.
async fn publish_documents(context: &CommandContext, args: &Args) -> Result<i64, Failure> {
    if args.from != Place::Beginning {
        let why = "each copy of the index keeps its own place: only `--from beginning` can be asked of all";
        return Err(Failure::refused("unknown_place", why));
    }
    let tenant = context.tenant(args.tenant.as_deref()).await?;
    if args.dry_run {
        let count = sqlx::query_scalar("SELECT count(*) FROM documents WHERE $1::uuid IS NULL OR tenant_id = $1");
        return Ok(count.bind(tenant).fetch_one(&context.pool).await?);
    }
    let published = sqlx::query(
        "INSERT INTO document_outbox (tenant_id, product_id, doc_version, event_time, correlation_id)
         SELECT tenant_id, product_id, doc_version, now(), 'replay' FROM documents
         WHERE $1::uuid IS NULL OR tenant_id = $1 ON CONFLICT DO NOTHING",
    )
    .bind(tenant)
    .execute(&context.pool)
    .await?;
    Ok(i64::try_from(published.rows_affected()).unwrap_or(i64::MAX))
}

/// Sets the stored offsets back; the projection finds that it is fenced and goes on from there.
async fn step_back(context: &CommandContext, args: &Args, projections: &[&str]) -> Result<i64, Failure> {
    let mut transaction = context.pool.begin().await?;
    let epoch = log_epoch::in_use(&mut transaction)
        .await?
        .ok_or_else(|| Failure::refused("no_log", "the log is being begun anew; try again when it has"))?;
    let line = ["projector", "--kafka-brokers", &args.kafka_brokers, "--topic-prefix", &args.topic_prefix];
    let config = Config::try_parse_from(line).map_err(|error| Failure::Other(error.to_string()))?;
    let log = Config { security: args.security.clone(), ..config }.log(epoch);
    let extents = tokio::task::block_in_place(|| log.extents())
        .map_err(|error| Failure::Other(format!("Kafka at {}: {error}", args.kafka_brokers)))?;
    let mut known = Offsets::new();
    for projection in projections {
        checkpoint::hold(&mut transaction, projection).await?;
        known.extend(checkpoint::load(&mut transaction, projection).await?);
    }
    let firsts: Offsets = extents.iter().map(|(partition, (first, _))| (partition.clone(), *first)).collect();
    let targets = targets(&args.from, &known, &firsts)?;
    let records = targets.iter().map(|(partition, to)| known.get(partition).copied().unwrap_or_default() - to).sum();
    if args.dry_run {
        return Ok(records);
    }
    for ((topic, partition), to) in targets {
        sqlx::query(
            "UPDATE checkpoints SET next_offset = $4, updated_at = now()
             WHERE projection = ANY($1) AND topic = $2 AND partition = $3",
        )
        .bind(projections)
        .bind(topic)
        .bind(partition)
        .bind(to)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(records)
}

/// The places to read from: never ahead of where a projection is, which would lose events, and never before the
/// first record there is.
fn targets(from: &Place, known: &Offsets, firsts: &Offsets) -> Result<Offsets, Failure> {
    let first = |partition: &(String, i32)| firsts.get(partition).copied().unwrap_or_default();
    match from {
        Place::Beginning => {
            Ok(known.iter().map(|(partition, next)| (partition.clone(), first(partition).min(*next))).collect())
        }
        Place::Back(records) => Ok(known
            .iter()
            .map(|(partition, next)| (partition.clone(), (next - records).max(first(partition)).min(*next)))
            .collect()),
        Place::At(topic, partition, offset) => {
            let partition = (topic.clone(), *partition);
            let next = known.get(&partition).copied().ok_or_else(|| {
                Failure::refused("unknown_place", format!("nothing was read of {topic}, partition {}", partition.1))
            })?;
            if !(first(&partition)..=next).contains(offset) {
                let from = first(&partition);
                let why = format!(
                    "{topic}, partition {}, can be read again from {from} to {next}, not from {offset}",
                    partition.1
                );
                return Err(Failure::refused("unknown_place", why));
            }
            Ok(Offsets::from([(partition, *offset)]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(partition: i32, offset: i64) -> ((String, i32), i64) {
        (("t".to_owned(), partition), offset)
    }

    #[test]
    fn places_are_read() {
        assert_eq!("beginning".parse(), Ok(Place::Beginning));
        assert_eq!("-12".parse(), Ok(Place::Back(12)));
        assert_eq!("a.b:2:7".parse(), Ok(Place::At("a.b".to_owned(), 2, 7)));
        assert!("yesterday".parse::<Place>().is_err());
    }

    #[test]
    fn nobody_goes_ahead_or_before_the_first_record() {
        let (known, firsts) = (Offsets::from([at(0, 10), at(1, 3)]), Offsets::from([at(0, 4), at(1, 0)]));
        let found = |from| targets(&from, &known, &firsts);
        assert_eq!(found(Place::Beginning).expect("places"), Offsets::from([at(0, 4), at(1, 0)]));
        assert_eq!(found(Place::Back(5)).expect("places"), Offsets::from([at(0, 5), at(1, 0)]));
        assert_eq!(found(Place::Back(100)).expect("places"), Offsets::from([at(0, 4), at(1, 0)]));
        assert_eq!(found(Place::At("t".to_owned(), 0, 6)).expect("a place"), Offsets::from([at(0, 6)]));
        for wrong in
            [Place::At("t".to_owned(), 0, 3), Place::At("t".to_owned(), 0, 11), Place::At("u".to_owned(), 0, 1)]
        {
            assert!(found(wrong).is_err());
        }
    }
}
