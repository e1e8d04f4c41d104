-- How a lag is judged and when it will be gone; the lag of each tenant; the synthetic probe; and what
-- operators do to dead letters.
ALTER TABLE projection_status
  -- ok | warning | stall | stop, by the rules of Burrow
  ADD COLUMN state text NOT NULL DEFAULT 'ok' CHECK (state IN ('ok', 'warning', 'stall', 'stop')),
  -- NULL while the lag does not shrink
  ADD COLUMN catch_up_seconds double precision;

-- What waits for a tenant and how late it was served, by projection; the relays are here as `relay:<context>`.
-- The figures of the last minute are true of the time of the report: older reports say nothing of the present.
CREATE TABLE tenant_lag (
  projection      text   NOT NULL,
  tenant_id       uuid   NOT NULL,
  -- rows of the tenant in a relay's outbox, and the age of the oldest in seconds
  waiting_events  bigint NOT NULL DEFAULT 0,
  waiting_seconds double precision NOT NULL DEFAULT 0,
  -- events a projection has applied in the last minute, and the age of the latest-coming one when it was applied
  applied_events  bigint NOT NULL DEFAULT 0,
  late_seconds    double precision NOT NULL DEFAULT 0,
  -- of the newest event that was applied
  last_event_time timestamptz,
  updated_at      timestamptz NOT NULL,
  PRIMARY KEY (projection, tenant_id)
);

-- Each round of the synthetic probe: a write that is read back by searching. Kept for a day.
CREATE TABLE probes (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at            timestamptz NOT NULL DEFAULT now(),
  -- found; late: written, but not searchable in time; failed: one of the two APIs refused or did not answer
  outcome       text   NOT NULL CHECK (outcome IN ('found', 'late', 'failed')),
  -- from sending the command to its answer
  write_ms      double precision,
  -- from sending the command to the answer of the search that found it
  searchable_ms double precision,
  error         text   NOT NULL DEFAULT ''
);
CREATE INDEX probes_at ON probes (at);

-- What happened to a dead letter: each failure, and each thing an operator did.
CREATE TABLE dead_letter_history (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  letter_id bigint NOT NULL,
  at        timestamptz NOT NULL DEFAULT now(),
  -- failed | retry | edit | discard
  kind      text   NOT NULL CHECK (kind IN ('failed', 'retry', 'edit', 'discard')),
  -- who; empty for the projection itself
  actor     text   NOT NULL DEFAULT '',
  -- the error, or the operator's reason
  note      text   NOT NULL DEFAULT '',
  -- what an edit has replaced
  payload   bytea
);
CREATE INDEX dead_letter_history_letter ON dead_letter_history (letter_id, id);
CREATE INDEX dead_letters_key ON dead_letters (projection, aggregate_key, id);

INSERT INTO dead_letter_history (letter_id, at, kind, note)
  SELECT id, updated_at, 'failed', error FROM dead_letters WHERE state = 'parked';

GRANT SELECT ON tenant_lag, probes, dead_letter_history TO souk_query;
