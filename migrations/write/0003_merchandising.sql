-- The context merchandising: its outbox and idempotency keys, shaped like those of every context, and
-- what staff have defined.
CREATE SCHEMA merchandising;

CREATE TABLE merchandising.outbox (
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
ALTER TABLE merchandising.outbox ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX outbox_unpublished ON merchandising.outbox (id) WHERE published_at IS NULL;

CREATE TABLE merchandising.idempotency_keys (
  tenant_id    uuid        NOT NULL,
  key          text        NOT NULL,
  request_hash bytea       NOT NULL,
  status       smallint    NOT NULL,
  headers      jsonb       NOT NULL,
  body         text        NOT NULL,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, key)
);

-- What was removed stays, without content, so that its versions go on.
CREATE TABLE merchandising.definitions (
  tenant_id     uuid   NOT NULL,
  -- follows from tenant, kind and name
  definition_id uuid   NOT NULL,
  kind          text   NOT NULL CHECK (kind IN ('synonyms', 'rules', 'facets', 'experiments')),
  name          text   NOT NULL,
  version       bigint NOT NULL CHECK (version > 0),
  -- the event's content as JSON text
  content       text,
  PRIMARY KEY (tenant_id, definition_id),
  CONSTRAINT definitions_name_key UNIQUE (tenant_id, kind, name)
);
