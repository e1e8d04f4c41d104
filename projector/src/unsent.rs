//! Records that the broker never takes, however often they are sent: put aside as dead letters of the relay, so that what
//! comes after them goes on. An operator has them tried again or discards them, as other dead letters.
//!
//! Such a dead letter stands at partition -1; its offset is the row's number in the outbox, or the version of
//! the document.

use crate::{
    deps::{Deps, RoleError},
    metrics::of,
    outboxes::relay_name,
};
use eventlog::{
    Record, database, dead_letter, leader,
    log::KafkaError,
    producer::{self, Outgoing},
};
use schemas::{dead_letter::DeadLetterState, topics::Context};
use sqlx::PgConnection;
use std::time::Duration;

/// The relay of documents, as dead letters name it.
pub const DOCUMENTS: &str = "documents";
/// The name in health.
pub const NAME: &str = "unsent";
/// The lock of the one process that tries them again.
const LOCK: &str = "souk:unsent";
/// The partition of what never got one.
const NOWHERE: i32 = -1;
/// How often dead letters are looked for that are to be tried again.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps a record of a relay that the broker never takes; the same record twice is kept once.
///
/// # Errors
/// The database's; then the record must not be taken for sent.
pub async fn keep(
    deps: &Deps,
    relay: &str,
    record: &Outgoing,
    number: i64,
    error: &KafkaError,
) -> Result<(), RoleError> {
    let reason = format!("Kafka never takes this record of {} bytes: {error}", record.payload.len());
    tracing::error!(event.key = %record.key, event.topic = %record.topic, row = number, error = reason, "a record can't be sent and is put aside");
    let mut connection = database::connect(&deps.config.read_database_url).await?;
    let letter = Record {
        topic: record.topic.clone(),
        partition: NOWHERE,
        offset: number,
        key: record.key.clone(),
        payload: Some(record.payload.clone().into_bytes()),
        headers: producer::pairs(&record.headers),
    };
    dead_letter::keep(&mut connection, relay, &letter, DeadLetterState::Parked, &reason).await?;
    deps.metrics.dead_letters.get_or_create(&of(relay)).inc();
    Ok(())
}

/// Tries again what operators want tried, until something fails.
///
/// # Errors
/// The database's.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    deps.is_fit(NAME);
    let mut connection = leader::lead(&deps.config.read_database_url, LOCK).await?;
    loop {
        for context in Context::ALL {
            let topic = deps.log.topic(context.topic());
            retry(&deps, &mut connection, &relay_name(context), &topic).await?;
        }
        settle_overtaken(&mut connection).await?;
        let topic = deps.log.topic(schemas::topics::DOCUMENTS);
        retry(&deps, &mut connection, DOCUMENTS, &topic).await?;
        tokio::time::sleep(LOOK).await;
    }
}

/// Tries what is to be tried of one key of a relay, in order, until one is refused.
async fn retry(deps: &Deps, connection: &mut PgConnection, relay: &str, topic: &str) -> Result<(), RoleError> {
    for (id, letter) in dead_letter::to_retry(connection, relay).await? {
        let payload = String::from_utf8(letter.payload.unwrap_or_default());
        let record = Outgoing {
            topic: topic.to_owned(),
            key: letter.key,
            payload: payload.map_err(|_| "the payload of a dead letter is no text")?,
            headers: producer::from_pairs(&letter.headers),
        };
        match producer::send_in_order(&deps.producer, &[record]).await.1 {
            None => dead_letter::settle(connection, id).await?,
            Some(error) => {
                dead_letter::park_again(connection, id, &format!("Kafka did not take it again: {error}")).await?;
                return Err(format!("a dead letter of {relay} was not taken: {error}").into());
            }
        }
    }
    Ok(())
}

/// Settles dead letters of documents of which a newer version was sent, or has a dead letter of its own.
async fn settle_overtaken(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE dead_letters AS l SET state = 'retried', updated_at = now() FROM documents AS d
         WHERE l.projection = $1 AND l.state IN ('parked', 'queued', 'retrying') AND d.tenant_id = l.tenant_id
           AND d.product_id = substring(l.headers ->> 'ce_subject' FROM 'product/(.+)')::uuid AND d.doc_version > l.record_offset
           AND NOT EXISTS (SELECT FROM document_outbox AS o WHERE o.tenant_id = d.tenant_id AND o.product_id = d.product_id)",
    )
    .bind(DOCUMENTS)
    .execute(connection)
    .await?;
    Ok(())
}
