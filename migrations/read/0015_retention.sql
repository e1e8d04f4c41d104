-- What the jobs on the read database need; what is kept how long stands in docs/guides/retention.md.
CREATE SCHEMA installation;
GRANT USAGE ON SCHEMA installation TO souk_query;

-- When each job was last run, by whichever process did.
CREATE TABLE installation.jobs (
  name             text        PRIMARY KEY,
  last_started_at  timestamptz NOT NULL,
  last_finished_at timestamptz,
  last_success_at  timestamptz,
  rows_deleted     bigint      NOT NULL DEFAULT 0,
  -- of the last run; empty if it went well
  error            text        NOT NULL DEFAULT ''
);
GRANT SELECT ON installation.jobs TO souk_query;

-- Settled dead letters, operations and switches go by their age.
CREATE INDEX dead_letters_settled ON dead_letters (updated_at) WHERE state IN ('retried', 'discarded');
CREATE INDEX operations_at ON operations (at);
CREATE INDEX reconciliations_at ON reconciliations (at);
CREATE INDEX tenant_lag_age ON tenant_lag (updated_at);
