//! What staff have defined to steer search, by kind and name.

use super::definitions::{Columns, Told};
use crate::projection::{Projection, Versioned, ViewTable};
use eventlog::Event;
use schemas::{Timestamp, events::DomainEvent, events::MerchandisingEvent, topics::Context};
use sqlx::PgConnection;

/// What steers search.
#[derive(Debug)]
pub struct Merchandising;

impl Projection for Merchandising {
    const NAME: &'static str = "merchandising";
    const READS: &'static [Context] = &[Context::Merchandising];
    const TABLES: &'static [ViewTable] = &[ViewTable::whole("merchandising", "tenant_id, kind, name")];
    const VERSIONED: Option<Versioned> = Some(Versioned {
        name: "merchandising",
        joined_by: "merchandising v ON v.tenant_id = k.t AND v.name = k.name AND v.kind = CASE k.aggregate
                      WHEN 'synonym_set' THEN 'synonyms' WHEN 'rule' THEN 'rules'
                      WHEN 'facet_display' THEN 'facets' WHEN 'experiment' THEN 'experiments' END",
        name_of: Some("last.payload::jsonb ->> 'name'"),
    });

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        let newest = newest(events)?;
        if newest.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO merchandising (tenant_id, kind, name, version, body, removed_at)
             SELECT t, k, n, v, b::jsonb, r
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[]) AS new(t, k, n, v, b, r)
             ON CONFLICT (tenant_id, kind, name) DO UPDATE
             SET version = excluded.version, body = excluded.body, removed_at = excluded.removed_at
             WHERE merchandising.version < excluded.version",
        )
        .bind(newest.tenants)
        .bind(newest.kinds)
        .bind(newest.names)
        .bind(newest.versions)
        .bind(newest.bodies)
        .bind(newest.removed)
        .execute(connection)
        .await?;
        Ok(())
    }
}

fn newest(events: &[&Event]) -> Result<Columns, sqlx::Error> {
    Columns::newest(events, told, MerchandisingEvent::content_json)
}

fn told(event: &DomainEvent) -> Option<Told<'_, MerchandisingEvent>> {
    let DomainEvent::Merchandising(event) = event else { return None };
    Some(Told { kind: event.kind().as_str(), name: event.name(), event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{
        Uuid,
        envelope::Envelope,
        events::merchandising::{MerchandisingKind, SynonymSet, SynonymSetDefined, SynonymSetRemoved},
        ids::{EventId, TenantId},
    };

    fn event(name: &str, version: u64, content: Option<SynonymSet>) -> Event {
        let name = name.to_owned();
        let merchandising = match content {
            Some(content) => MerchandisingEvent::SynonymSetDefined(SynonymSetDefined { name, content }),
            None => MerchandisingEvent::SynonymSetRemoved(SynonymSetRemoved { name }),
        };
        let envelope = Envelope {
            id: EventId(Uuid::nil()),
            event_type: merchandising.event_type().to_owned(),
            tenant: TenantId(Uuid::from_u128(1)),
            context: Context::Merchandising,
            aggregate: merchandising.kind().aggregate().to_owned(),
            aggregate_id: Uuid::from_u128(2),
            version,
            time: Timestamp::UNIX_EPOCH,
            correlation_id: "x".to_owned(),
            causation_id: None,
            traceparent: None,
        };
        Event { key: "x".to_owned(), envelope, event: DomainEvent::Merchandising(merchandising) }
    }

    #[test]
    fn every_kind_is_compared_with_the_outbox() {
        let versioned = Merchandising::VERSIONED.expect("definitions keep versions");
        for kind in MerchandisingKind::ALL {
            let case = format!("WHEN '{}' THEN '{}'", kind.aggregate(), kind.as_str());
            assert!(versioned.joined_by.contains(&case), "{case} is missing");
        }
    }

    #[test]
    fn of_each_definition_the_newest_version_counts_whatever_the_order() {
        let set = SynonymSet::MultiWay { terms: vec!["a".into(), "b".into()] };
        let events = [event("one", 2, None), event("one", 1, Some(set.clone())), event("two", 1, Some(set))];
        let newest = newest(&events.iter().collect::<Vec<_>>()).expect("JSON");
        assert_eq!((newest.names, newest.versions), (vec!["one".to_owned(), "two".to_owned()], vec![2, 1]));
        assert_eq!(newest.removed, [Some(Timestamp::UNIX_EPOCH), None]);
        assert!(newest.bodies[0].is_none() && newest.bodies[1].is_some());
    }
}
