-- Processes that span contexts, such as a checkout: their states, what they were told and have not taken in, what they do next, and
-- their deadlines. See docs/decisions/0067. No context: a process tells what becomes of it by events of the context that it is of.
CREATE SCHEMA processes;

CREATE TABLE processes.processes (
  tenant_id      uuid        NOT NULL,
  -- the kind of process, such as `checkout`
  name           text        NOT NULL,
  process_id     uuid        NOT NULL,
  version        bigint      NOT NULL DEFAULT 0,
  -- JSON; none until it has taken in what began it
  state          text,
  -- JSON: the version up to which it knows each aggregate
  seen           text        NOT NULL DEFAULT '{}',
  -- when something of it is due: a step, or a deadline
  wake_at        timestamptz,
  -- who works on it, and until when it is not anybody else's
  owner          uuid,
  lease_until    timestamptz,
  -- it goes on only when staff say so
  parked_at      timestamptz,
  parked_step    text,
  parked_reason  text,
  -- of the request that began it
  correlation_id text        NOT NULL,
  traceparent    text,
  created_at     timestamptz NOT NULL,
  changed_at     timestamptz NOT NULL,
  -- nothing of it is left to do, unless it is told something more
  ended_at       timestamptz,
  PRIMARY KEY (tenant_id, name, process_id)
);
CREATE INDEX processes_due ON processes.processes (wake_at) WHERE parked_at IS NULL AND wake_at IS NOT NULL;
CREATE INDEX processes_parked ON processes.processes (parked_at) WHERE parked_at IS NOT NULL;
CREATE INDEX processes_ended ON processes.processes (ended_at) WHERE ended_at IS NOT NULL;

-- What it was told, in the transaction of the event or of whoever asked.
CREATE TABLE processes.triggers (
  id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id      uuid        NOT NULL,
  name           text        NOT NULL,
  process_id     uuid        NOT NULL,
  -- event | skipped | abort
  kind           text        NOT NULL,
  -- of an event; of what staff asked for: the reason, or the step that is skipped
  event_id       uuid,
  context        text,
  event_type     text,
  aggregate_id   uuid,
  version        bigint,
  payload        text        NOT NULL,
  occurred_at    timestamptz NOT NULL
);
CREATE INDEX triggers_of_process ON processes.triggers (tenant_id, name, process_id, id);

-- Commands that are still to be carried out, each once.
CREATE TABLE processes.steps (
  tenant_id   uuid        NOT NULL,
  name        text        NOT NULL,
  process_id  uuid        NOT NULL,
  step        text        NOT NULL,
  -- in this order
  number      bigint      GENERATED ALWAYS AS IDENTITY,
  -- JSON
  command     text        NOT NULL,
  -- the event that it answers
  cause       text,
  tries       integer     NOT NULL DEFAULT 0,
  next_try_at timestamptz NOT NULL,
  last_error  text,
  PRIMARY KEY (tenant_id, name, process_id, step)
);

CREATE TABLE processes.timers (
  tenant_id  uuid        NOT NULL,
  name       text        NOT NULL,
  process_id uuid        NOT NULL,
  timer      text        NOT NULL,
  due_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, name, process_id, timer)
);

-- Aggregates that a process has made or asked for: it is told of what happens to them.
CREATE TABLE processes.links (
  tenant_id  uuid NOT NULL,
  name       text NOT NULL,
  linked     uuid NOT NULL,
  process_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, name, linked)
);
CREATE INDEX links_of_process ON processes.links (tenant_id, name, process_id);

SELECT installation.grant_context('processes');

-- As before, and with the processes of the shop: first, so that none of them writes anything more.
CREATE OR REPLACE VIEW installation.tables_of_shops AS
  SELECT n.nspname::text AS context, c.relname::text AS name,
         EXISTS (SELECT FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent
                 WHERE i.inhrelid = c.oid AND p.relname = 'outbox') AS is_outbox,
         CASE WHEN n.nspname = 'processes' OR c.relname IN ('person_keys', 'shop_keys', 'token_key_secrets') THEN 0
              WHEN c.relname = 'removed' THEN 2 ELSE 1 END AS turn
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND (n.nspname = 'processes' OR n.nspname IN (SELECT context FROM installation.outbox_partitions)) AND n.nspname <> 'audit'
    AND NOT (n.nspname = 'tenants' AND (c.relispartition OR c.relname IN ('tenants', 'deleted')))
    AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped);
