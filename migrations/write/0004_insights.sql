-- The context insights: its outbox and idempotency keys, shaped like those of every context, and what
-- keeps reports in order and apart.
CREATE SCHEMA insights;

CREATE TABLE insights.outbox (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id       uuid        NOT NULL,
  tenant_id      uuid        NOT NULL,
  event_type     text        NOT NULL,
  aggregate      text        NOT NULL,
  aggregate_id   uuid        NOT NULL,
  version        bigint      NOT NULL CHECK (version > 0),
  partition_id   uuid        NOT NULL,
  payload        text        NOT NULL,
  occurred_at    timestamptz NOT NULL,
  correlation_id text        NOT NULL,
  causation_id   text,
  traceparent    text,
  published_at   timestamptz,
  UNIQUE (tenant_id, aggregate_id, version)
);
ALTER TABLE insights.outbox ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX outbox_unpublished ON insights.outbox (id) WHERE published_at IS NULL;

CREATE TABLE insights.idempotency_keys (
  tenant_id    uuid        NOT NULL,
  key          text        NOT NULL,
  request_hash bytea       NOT NULL,
  status       smallint    NOT NULL,
  headers      jsonb       NOT NULL,
  body         text        NOT NULL,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, key)
);

-- How many reports each client has made: the version of its next one is drawn under this row's lock, see
-- docs/decisions/0010.
CREATE TABLE insights.clients (
  tenant_id uuid   NOT NULL,
  client_id uuid   NOT NULL,
  version   bigint NOT NULL CHECK (version > 0),
  PRIMARY KEY (tenant_id, client_id)
);

-- Reports of the last two days, so that one that comes again is known; older rows go as new ones come.
CREATE TABLE insights.records (
  tenant_id   uuid        NOT NULL,
  record_id   uuid        NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, record_id)
);
CREATE INDEX records_received ON insights.records (received_at);
