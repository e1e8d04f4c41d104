-- One schema and one outbox per bounded context. A published row stays: it is the context's history.
-- Rows are drawn (id) under the lock of their aggregate's state row, so that id order is version
-- order within one aggregate; see docs/decisions/0003.
DO $$
DECLARE context text;
BEGIN
  FOREACH context IN ARRAY ARRAY['tenants', 'catalog', 'pricing', 'inventory'] LOOP
    EXECUTE format('CREATE SCHEMA %I', context);
    EXECUTE format($sql$
      CREATE TABLE %I.outbox (
        id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id       uuid        NOT NULL,
        tenant_id      uuid        NOT NULL,
        event_type     text        NOT NULL,
        aggregate      text        NOT NULL,
        aggregate_id   uuid        NOT NULL,
        version        bigint      NOT NULL CHECK (version > 0),
        -- the id in the Kafka key: the product's for everything about a product
        partition_id   uuid        NOT NULL,
        payload        text        NOT NULL,
        occurred_at    timestamptz NOT NULL,
        correlation_id text        NOT NULL,
        causation_id   text,
        traceparent    text,
        -- set once the broker has acknowledged the record
        published_at   timestamptz,
        UNIQUE (tenant_id, aggregate_id, version)
      )$sql$, context);
    -- uncompressed and out of line, so that marking a row as published does not copy its payload
    EXECUTE format('ALTER TABLE %I.outbox ALTER COLUMN payload SET STORAGE EXTERNAL', context);
    EXECUTE format('CREATE INDEX outbox_unpublished ON %I.outbox (id) WHERE published_at IS NULL', context);
    EXECUTE format($sql$
      CREATE TABLE %I.idempotency_keys (
        tenant_id    uuid        NOT NULL,
        key          text        NOT NULL,
        request_hash bytea       NOT NULL,
        status       smallint    NOT NULL,
        headers      jsonb       NOT NULL,
        body         text        NOT NULL,
        created_at   timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, key)
      )$sql$, context);
  END LOOP;
END $$;

-- Only roles that are named may open the write database; query-api's is not.
DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END $$;
