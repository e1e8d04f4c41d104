-- Index generations from their plan to their end, who serves them, and who did what to them.
ALTER TABLE index_generations DROP CONSTRAINT index_generations_state_check;
ALTER TABLE index_generations
  ADD CONSTRAINT index_generations_state_check CHECK (state IN
    ('planned', 'building', 'catching_up', 'verifying', 'ready', 'active', 'retired', 'rolled_back', 'failed', 'cancelled')),
  -- moves with every change of state: a change names the number it saw, so that of two operators one is refused
  ADD COLUMN revision     bigint  NOT NULL DEFAULT 1,
  -- topic | views | copy: what it is built from
  ADD COLUMN source       text    NOT NULL DEFAULT 'topic',
  -- the generation it was planned against
  ADD COLUMN basis        text,
  -- documents a second its build may take; NULL for no limit
  ADD COLUMN rate_limit   integer,
  ADD COLUMN paused       boolean NOT NULL DEFAULT false,
  -- offsets it must not go past, while it is compared with another: [[topic, partition, offset], …]
  ADD COLUMN stop_at      jsonb,
  -- share of the searches it answers before it is promoted, in percent
  ADD COLUMN canary       smallint NOT NULL DEFAULT 0 CHECK (canary BETWEEN 0 AND 100),
  ADD COLUMN created_by   text    NOT NULL DEFAULT '',
  -- why it is where it is: the failure, the reason of a rollback
  ADD COLUMN note         text    NOT NULL DEFAULT '',
  ADD COLUMN certificate  jsonb,
  ADD COLUMN comparison   jsonb;

-- The copy of a generation on one node, as its writer reports it once a second. A row that is no longer renewed
-- belongs to a writer that died.
CREATE TABLE generation_copies (
  node         text    NOT NULL,
  generation   text    NOT NULL,
  -- building | catching_up | live | paused | held | failed
  phase        text    NOT NULL,
  documents    bigint  NOT NULL,
  -- documents there are to take in; an estimate while it is building
  expected     bigint  NOT NULL,
  rate_per_second double precision NOT NULL,
  -- records of the document topic it has not taken in
  lag_events   bigint  NOT NULL,
  -- [[topic, partition, next offset], …]
  offsets      jsonb   NOT NULL,
  error        text    NOT NULL DEFAULT '',
  heartbeat_at timestamptz NOT NULL,
  PRIMARY KEY (node, generation)
);

-- The query-api processes, as the index writer beside them found them in the folder they share.
CREATE TABLE query_nodes (
  reader       text    PRIMARY KEY,
  node         text    NOT NULL,
  address      text    NOT NULL,
  -- the switch it has followed, and the generation it answers from
  epoch        bigint  NOT NULL,
  generation   text    NOT NULL,
  -- every generation it has open
  opened       text[]  NOT NULL,
  -- by generation: searches, failed, empty, p50_ms, p99_ms over the last ten seconds
  figures      jsonb   NOT NULL,
  -- why it has not followed the newest switch yet
  waiting      text    NOT NULL DEFAULT '',
  heartbeat_at timestamptz NOT NULL
);

-- Each switch of what queries are answered from. The newest is the one that holds.
CREATE TABLE index_switches (
  epoch      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  generation text   NOT NULL,
  previous   text,
  -- first | promote | rollback | outdated
  kind       text   NOT NULL,
  actor      text   NOT NULL,
  reason     text   NOT NULL DEFAULT '',
  at         timestamptz NOT NULL DEFAULT now()
);

-- What operators did: kept for ever.
CREATE TABLE operations (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT now(),
  actor   text  NOT NULL,
  -- generation.promote, dead_letter.discard, …
  action  text  NOT NULL,
  -- the name of the generation, the id of the dead letter, …
  subject text  NOT NULL,
  detail  jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX operations_subject ON operations (subject, id);

INSERT INTO index_switches (generation, kind, actor, at)
  SELECT generation, 'first', 'migration', coalesce(activated_at, now()) FROM index_generations WHERE state = 'active';

-- What the reconciler found, each run; runs of a week are kept.
CREATE TABLE reconciliations (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT now(),
  actor   text    NOT NULL,
  checked bigint  NOT NULL,
  wrong   bigint  NOT NULL,
  mended  bigint  NOT NULL,
  report  jsonb   NOT NULL
);
GRANT SELECT ON reconciliations TO souk_query;

-- A build from the views takes the documents in the order of their versions.
CREATE INDEX documents_version ON documents (doc_version);

GRANT SELECT ON generation_copies, query_nodes, index_switches, operations TO souk_query;
