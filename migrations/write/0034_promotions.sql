-- Promotions, their codes, and how often they are used; see docs/decisions/0063.
SELECT installation.create_context('promotions');

-- One that has ended stays, so that its versions go on and its name leads to what was used.
CREATE TABLE promotions.promotions (
  tenant_id    uuid        NOT NULL,
  -- follows from tenant and name
  promotion_id uuid        NOT NULL,
  version      bigint      NOT NULL CHECK (version > 0),
  name         text        NOT NULL,
  needs_code   boolean     NOT NULL,
  ends_at      timestamptz,
  is_ended     boolean     NOT NULL,
  state        text        NOT NULL,
  PRIMARY KEY (tenant_id, promotion_id),
  CONSTRAINT promotions_name_key UNIQUE (tenant_id, name)
);
CREATE INDEX promotions_open ON promotions.promotions (tenant_id, needs_code) WHERE NOT is_ended;
CREATE INDEX promotions_over ON promotions.promotions (ends_at) WHERE NOT is_ended;

-- The list of a promotion's codes: how many there are. Commands about codes of one promotion wait for each other here.
CREATE TABLE promotions.code_lists (
  tenant_id    uuid   NOT NULL,
  code_list_id uuid   NOT NULL,
  version      bigint NOT NULL CHECK (version > 0),
  state        text   NOT NULL,
  PRIMARY KEY (tenant_id, code_list_id)
);

-- A code belongs to one promotion of its shop, for ever.
CREATE TABLE promotions.codes (
  tenant_id    uuid    NOT NULL,
  code         text    NOT NULL,
  promotion_id uuid    NOT NULL,
  is_disabled  boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, code)
);

-- Uses of limited promotions by checkouts.
CREATE TABLE promotions.usages (
  tenant_id    uuid   NOT NULL,
  -- follows from tenant, checkout, promotion and code
  usage_id     uuid   NOT NULL,
  version      bigint NOT NULL CHECK (version > 0),
  checkout_id  uuid   NOT NULL,
  promotion_id uuid   NOT NULL,
  code         text,
  customer     text   NOT NULL,
  stage        text   NOT NULL CHECK (stage IN ('reserved', 'consumed', 'released')),
  state        text   NOT NULL,
  PRIMARY KEY (tenant_id, usage_id)
);
CREATE INDEX usages_of_checkout ON promotions.usages (tenant_id, checkout_id);
-- To count once what was used before, when staff begin to limit it.
CREATE INDEX usages_of_promotion ON promotions.usages (tenant_id, promotion_id) WHERE stage <> 'released';

-- How often something limited is used: the hot rows. What is used never exceeds what may be, and the database sees to it.
CREATE TABLE promotions.counters (
  tenant_id    uuid   NOT NULL,
  promotion_id uuid   NOT NULL,
  -- all | customer | code
  counts       text   NOT NULL CHECK (counts IN ('all', 'customer', 'code')),
  -- the customer or the code; empty where all are counted
  key          text   NOT NULL,
  reserved     bigint NOT NULL CHECK (reserved >= 0),
  consumed     bigint NOT NULL CHECK (consumed >= 0),
  -- the limit as of the last use that was reserved
  most         bigint NOT NULL,
  PRIMARY KEY (tenant_id, promotion_id, counts, key),
  CONSTRAINT counters_within_limit CHECK (reserved + consumed <= most)
) WITH (fillfactor = 50);

-- Which checkout of a customer is the first order, and by how many uses it is held.
CREATE TABLE promotions.first_orders (
  tenant_id   uuid    NOT NULL,
  customer    text    NOT NULL,
  checkout_id uuid    NOT NULL,
  uses        integer NOT NULL CHECK (uses >= 0),
  PRIMARY KEY (tenant_id, customer)
);

SELECT installation.grant_context('promotions');
