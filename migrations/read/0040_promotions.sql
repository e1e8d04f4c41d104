-- Promotions as staff define them; one that has ended stays.
CREATE TABLE promotions (
  tenant_id    uuid        NOT NULL,
  promotion_id uuid        NOT NULL,
  version      bigint      NOT NULL,
  name         text        NOT NULL,
  needs_code   boolean     NOT NULL,
  -- the event's content
  content      jsonb       NOT NULL,
  created_at   timestamptz NOT NULL,
  ended_at     timestamptz,
  -- staff | span_over
  end_reason   text,
  PRIMARY KEY (tenant_id, promotion_id)
);
CREATE INDEX promotions_by_name ON promotions (tenant_id, name);
CREATE INDEX promotions_automatic ON promotions (tenant_id) WHERE ended_at IS NULL AND NOT needs_code;

-- Codes, with how often each was used.
CREATE TABLE promotion_codes (
  tenant_id    uuid        NOT NULL,
  code         text        NOT NULL,
  promotion_id uuid        NOT NULL,
  -- what those that were drawn for one command have in common
  batch_id     uuid,
  added_at     timestamptz NOT NULL,
  disabled_at  timestamptz,
  reserved     bigint      NOT NULL DEFAULT 0,
  consumed     bigint      NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, code)
);
CREATE INDEX promotion_codes_of ON promotion_codes (tenant_id, promotion_id, code);

-- How often a promotion was used, and how many codes it has.
CREATE TABLE promotion_figures (
  tenant_id    uuid   NOT NULL,
  promotion_id uuid   NOT NULL,
  codes        bigint NOT NULL,
  disabled     bigint NOT NULL,
  reserved     bigint NOT NULL,
  consumed     bigint NOT NULL,
  PRIMARY KEY (tenant_id, promotion_id)
);

-- How often a customer uses a promotion: the id of an account, or a digest that stands for a guest.
CREATE TABLE promotion_customers (
  tenant_id    uuid   NOT NULL,
  promotion_id uuid   NOT NULL,
  customer     text   NOT NULL,
  reserved     bigint NOT NULL,
  consumed     bigint NOT NULL,
  PRIMARY KEY (tenant_id, promotion_id, customer)
);

GRANT SELECT ON promotions, promotion_codes, promotion_figures, promotion_customers TO souk_query, souk_reindex;
GRANT SELECT, INSERT, UPDATE, DELETE ON promotions, promotion_codes, promotion_figures, promotion_customers TO souk_projector;
