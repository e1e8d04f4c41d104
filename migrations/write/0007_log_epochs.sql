-- The epochs of the log in Kafka; see docs/decisions/0014. The first epoch has no row. A row without begun_at was asked
-- for: the next projector that relays begins it.
CREATE TABLE log_epochs (
  -- UTC, as 20261121T143000Z: also the end of the topics' names
  epoch    text        PRIMARY KEY,
  reason   text        NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT now(),
  begun_at timestamptz
);
