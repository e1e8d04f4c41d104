-- Watches of generations that were just put before shoppers. They are kept here and not in the command that asked for
-- them: whoever runs, `reindex serve` or the command, looks, and takes back what does worse.
CREATE TABLE index_watches (
  generation     text PRIMARY KEY REFERENCES index_generations ON DELETE CASCADE,
  -- promotion | canary
  kind           text NOT NULL,
  actor          text NOT NULL,
  limits         jsonb NOT NULL,
  -- the figures before the promotion; a canary is held against those of the active generation at the same time
  before         jsonb NOT NULL,
  after          jsonb NOT NULL DEFAULT '{}',
  began_at       timestamptz NOT NULL DEFAULT now(),
  -- NULL: until the trial ends
  ends_at        timestamptz,
  -- who looks at present; after three seconds without a look, somebody else does
  watcher        text NOT NULL DEFAULT '',
  looked_at      timestamptz NOT NULL DEFAULT now(),
  -- sentences; it is taken back for them
  worse          text[] NOT NULL DEFAULT '{}',
  rolled_back_to text,
  -- stays | worse | ended: somebody else moved it; NULL while it goes on
  outcome        text
);
GRANT SELECT ON index_watches TO souk_query;
