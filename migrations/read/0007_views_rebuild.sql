-- The epoch of the log that this read database follows, as the projector that relays has told; see
-- docs/decisions/0014.
CREATE TABLE log_epoch (
  one       boolean     PRIMARY KEY DEFAULT true CHECK (one),
  -- part of the topics' names; empty for the first
  epoch     text        NOT NULL,
  -- the one that is just being begun: nobody may project meanwhile
  beginning text,
  since     timestamptz NOT NULL DEFAULT now()
);
