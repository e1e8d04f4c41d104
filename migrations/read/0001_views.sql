-- The read database: denormalised views, all rebuildable from Kafka. No foreign keys: what is known
-- of one thing arrives in any order.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE tenants (
  id      uuid PRIMARY KEY,
  slug    text   NOT NULL,
  name    text   NOT NULL,
  version bigint NOT NULL
);
CREATE INDEX tenants_slug ON tenants (slug);

-- Each aggregate's part of what is known, with its own version. A deletion is a row too, so that an
-- older event can't bring the thing back. Consistency tokens are answered from here.
CREATE TABLE sources (
  tenant_id    uuid        NOT NULL,
  context      text        NOT NULL,
  aggregate_id uuid        NOT NULL,
  aggregate    text        NOT NULL,
  product_id   uuid,
  version      bigint      NOT NULL,
  deleted      boolean     NOT NULL DEFAULT false,
  -- JSON, read whole and only by the projections
  body         text        NOT NULL,
  event_time   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, context, aggregate_id)
);
ALTER TABLE sources ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX sources_product ON sources (tenant_id, product_id) WHERE product_id IS NOT NULL;

CREATE TABLE categories (
  tenant_id   uuid    NOT NULL,
  category_id uuid    NOT NULL,
  parent_id   uuid,
  slug        text    NOT NULL,
  name        text    NOT NULL,
  position    integer NOT NULL,
  external_id text,
  -- from the root to this category, itself included
  path_ids    uuid[]  NOT NULL,
  path_slugs  text[]  NOT NULL,
  path_names  text[]  NOT NULL,
  PRIMARY KEY (tenant_id, category_id)
);
CREATE INDEX categories_slug ON categories (tenant_id, slug);

-- The product page: one lookup by id or by slug.
CREATE TABLE product_pages (
  tenant_id            uuid        NOT NULL,
  product_id           uuid        NOT NULL,
  slug                 text        NOT NULL,
  external_id          text,
  status               text        NOT NULL,
  doc_version          bigint      NOT NULL,
  -- every category above it, known or not: who has to be composed anew when one of them changes
  category_ids         uuid[]      NOT NULL,
  -- JSON, passed on as it is
  page                 text        NOT NULL,
  updated_at           timestamptz NOT NULL,
  -- when the next scheduled price starts or ends; the page is composed anew then
  next_price_change_at timestamptz,
  PRIMARY KEY (tenant_id, product_id)
);
ALTER TABLE product_pages ALTER COLUMN page SET STORAGE EXTERNAL;
CREATE INDEX product_pages_slug ON product_pages (tenant_id, slug);
CREATE INDEX product_pages_external_id ON product_pages (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX product_pages_categories ON product_pages USING gin (category_ids);
CREATE INDEX product_pages_price_change ON product_pages (next_price_change_at) WHERE next_price_change_at IS NOT NULL;

-- One row per published product and category it stands in, ancestors included.
CREATE TABLE listing (
  tenant_id   uuid        NOT NULL,
  category_id uuid        NOT NULL,
  product_id  uuid        NOT NULL,
  title       text        NOT NULL,
  available   boolean     NOT NULL,
  released_at timestamptz,
  card        jsonb       NOT NULL,
  PRIMARY KEY (tenant_id, category_id, product_id)
);
CREATE INDEX listing_product ON listing (tenant_id, product_id);
CREATE INDEX listing_title ON listing (tenant_id, category_id, title, product_id);
CREATE INDEX listing_released ON listing (tenant_id, category_id, released_at DESC NULLS LAST, product_id);

-- The composed search document, as it goes to the document topic.
CREATE TABLE documents (
  tenant_id    uuid    NOT NULL,
  product_id   uuid    NOT NULL,
  doc_version  bigint  NOT NULL,
  -- of the whole body without its version: unchanged content is not published again
  content_hash text    NOT NULL,
  -- of the text that is embedded; NULL for a deleted document
  text_hash    text,
  deleted      boolean NOT NULL,
  body         text    NOT NULL,
  PRIMARY KEY (tenant_id, product_id)
);
ALTER TABLE documents ALTER COLUMN body SET STORAGE EXTERNAL;

-- Products whose newest document has not been acknowledged by the broker yet. Several changes of one
-- product collapse into one record.
CREATE TABLE document_outbox (
  tenant_id      uuid        NOT NULL,
  product_id     uuid        NOT NULL,
  doc_version    bigint      NOT NULL,
  event_time     timestamptz NOT NULL,
  correlation_id text        NOT NULL,
  traceparent    text,
  PRIMARY KEY (tenant_id, product_id)
);
CREATE INDEX document_outbox_version ON document_outbox (doc_version);

-- Where each projection continues; written in the transaction of the rows it describes.
CREATE TABLE checkpoints (
  projection  text        NOT NULL,
  topic       text        NOT NULL,
  partition   integer     NOT NULL,
  next_offset bigint      NOT NULL,
  event_time  timestamptz,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (projection, topic, partition)
);

-- What the lag page shows; a row that is not renewed belongs to a consumer that died.
-- The relays report here as projection `relay:<context>` with partition 0.
CREATE TABLE projection_status (
  projection   text        NOT NULL,
  topic        text        NOT NULL,
  partition    integer     NOT NULL,
  next_offset  bigint      NOT NULL,
  end_offset   bigint      NOT NULL,
  lag_events   bigint      NOT NULL,
  -- age of the oldest event not yet applied, 0 when there is none
  lag_seconds  double precision NOT NULL,
  -- growing | steady | draining | idle
  trend        text        NOT NULL,
  rate_per_second double precision NOT NULL,
  heartbeat_at timestamptz NOT NULL,
  PRIMARY KEY (projection, topic, partition)
);

-- Events that could not be applied, whole. While one of an aggregate is parked, later ones queue here.
CREATE TABLE dead_letters (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  projection    text        NOT NULL,
  -- the Kafka key: tenant and id
  aggregate_key text        NOT NULL,
  tenant_id     uuid,
  topic         text        NOT NULL,
  partition     integer     NOT NULL,
  record_offset bigint      NOT NULL,
  event_type    text,
  headers       jsonb       NOT NULL,
  payload       bytea,
  error         text        NOT NULL,
  -- parked: waits for an operator; queued: waits behind a parked one; retrying: asked for, the projection
  -- will try; retried | discarded: settled
  state         text        NOT NULL CHECK (state IN ('parked', 'queued', 'retrying', 'retried', 'discarded')),
  attempts      integer     NOT NULL DEFAULT 1,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (projection, topic, partition, record_offset)
);
CREATE INDEX dead_letters_open ON dead_letters (projection, aggregate_key) WHERE state IN ('parked', 'queued', 'retrying');

-- One vector per product and model; unchanged text (content_hash) is never embedded twice.
CREATE TABLE embeddings (
  tenant_id    uuid         NOT NULL,
  product_id   uuid         NOT NULL,
  model_id     text         NOT NULL,
  content_hash text         NOT NULL,
  doc_version  bigint       NOT NULL,
  embedding    halfvec(384) NOT NULL,
  PRIMARY KEY (tenant_id, product_id, model_id)
);
CREATE INDEX embeddings_hnsw ON embeddings USING hnsw (embedding halfvec_cosine_ops);

-- Index generations; exactly one is active.
CREATE TABLE index_generations (
  generation   text        PRIMARY KEY,
  state        text        NOT NULL CHECK (state IN ('building', 'ready', 'active', 'retired', 'failed')),
  manifest     jsonb       NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  activated_at timestamptz
);
CREATE UNIQUE INDEX index_generations_one_active ON index_generations (state) WHERE state = 'active';
