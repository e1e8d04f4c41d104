-- The context checkout: how a cart becomes an order. What a checkout does next is a process (0043).
SELECT installation.create_context('checkout');

CREATE TABLE checkout.checkouts (
  tenant_id   uuid    NOT NULL,
  checkout_id uuid    NOT NULL,
  version     bigint  NOT NULL CHECK (version > 0),
  cart_id     uuid    NOT NULL,
  -- it has become an order, or never will
  is_over     boolean NOT NULL,
  state       text    NOT NULL,
  PRIMARY KEY (tenant_id, checkout_id)
);
-- One open checkout of each cart.
CREATE UNIQUE INDEX checkouts_open_key ON checkout.checkouts (tenant_id, cart_id) WHERE NOT is_over;

-- What stands below is in no event.

-- Prices that were offered to a shopper whose own were too low: one is taken by its digest for some minutes, whatever has changed since.
CREATE TABLE checkout.offers (
  tenant_id    uuid        NOT NULL,
  cart_id      uuid        NOT NULL,
  digest       text        NOT NULL,
  -- the version of the cart, and what it was priced for besides
  cart_version bigint      NOT NULL,
  priced_for   text        NOT NULL,
  quote        text        NOT NULL,
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, cart_id, digest)
);
CREATE INDEX offers_by_end ON checkout.offers (expires_at);

SELECT installation.grant_context('checkout');
