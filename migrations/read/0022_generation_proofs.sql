-- Proofs of the copies of a generation, node by node: a verification asks each node's index writer for the digest of its
-- own copy, at the offsets at which the generation is compared with the active one.
CREATE TABLE generation_proofs (
  generation   text NOT NULL REFERENCES index_generations ON DELETE CASCADE,
  node         text NOT NULL,
  -- the verification that asks
  verification uuid NOT NULL,
  -- fields whose terms the digest leaves out, since the bundle declares that they differ
  left_out     text[] NOT NULL,
  -- [[topic, partition, next offset], …]
  offsets      jsonb NOT NULL,
  -- whether the digest is computed while shoppers search, too
  at_once      boolean NOT NULL DEFAULT false,
  -- asked | standing: it has been opened at the offsets | proved | failed
  state        text NOT NULL DEFAULT 'asked',
  documents    bigint NOT NULL DEFAULT 0,
  digest       text NOT NULL DEFAULT '',
  error        text NOT NULL DEFAULT '',
  at           timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (generation, node)
);
GRANT SELECT ON generation_proofs TO souk_query;
