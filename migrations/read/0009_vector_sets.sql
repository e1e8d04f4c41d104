-- Vectors of several models, and of several texts of one model, side by side: each set has an index of its own, of
-- vectors of its own length.
DROP INDEX embeddings_hnsw;
ALTER TABLE embeddings ALTER COLUMN embedding TYPE halfvec;
CREATE INDEX embeddings_hnsw_shipped ON embeddings
  USING hnsw ((embedding::halfvec(384)) halfvec_cosine_ops) WHERE model_id = 'all-MiniLM-L6-v2/int8-weights';
-- A set is forgotten whole.
CREATE INDEX embeddings_model ON embeddings (model_id);

-- The sets of vectors there are, as the embedding writer reports them once a second.
CREATE TABLE vector_sets (
  key          text PRIMARY KEY,
  -- the bundle's model
  model        jsonb NOT NULL,
  -- its name in checkpoints, status and metrics
  projection   text NOT NULL,
  -- building | live | paused | failed
  phase        text NOT NULL,
  vectors      bigint NOT NULL,
  -- records of the document topic it has not taken in
  lag_events   bigint NOT NULL,
  rate_per_second double precision NOT NULL,
  error        text NOT NULL DEFAULT '',
  heartbeat_at timestamptz NOT NULL
);
GRANT SELECT ON vector_sets TO souk_query;
