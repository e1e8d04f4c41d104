-- What an operator gave up is a fact of its aggregate: views that are built anew, and whoever compares versions, go past it.
CREATE TABLE discarded_events (
  tenant_id    uuid        NOT NULL,
  context      text        NOT NULL,
  aggregate_id uuid        NOT NULL,
  version      bigint      NOT NULL,
  aggregate    text        NOT NULL,
  event_id     uuid        NOT NULL,
  event_time   timestamptz NOT NULL,
  discarded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, context, aggregate_id, version, event_id)
);

INSERT INTO discarded_events (tenant_id, context, aggregate_id, version, aggregate, event_id, event_time)
SELECT tenant_id, split_part(headers ->> 'ce_type', '.', 2), split_part(headers ->> 'ce_subject', '/', 2)::uuid,
       (headers ->> 'ce_soukversion')::bigint, split_part(headers ->> 'ce_subject', '/', 1), (headers ->> 'ce_id')::uuid,
       (headers ->> 'ce_time')::timestamptz
FROM dead_letters
WHERE state = 'discarded' AND tenant_id IS NOT NULL AND headers ->> 'ce_subject' ~ '^[a-z_]+/[0-9a-f-]{36}$'
  AND headers ->> 'ce_soukversion' ~ '^[0-9]{1,18}$' AND headers ->> 'ce_id' ~ '^[0-9a-f-]{36}$'
  AND headers ->> 'ce_time' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' AND headers ->> 'ce_type' LIKE 'souk.%'
ON CONFLICT DO NOTHING;
