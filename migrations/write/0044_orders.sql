-- The context orders: what was bought, and what became of it.
SELECT installation.create_context('orders');

CREATE TABLE orders.orders (
  tenant_id    uuid   NOT NULL,
  order_id     uuid   NOT NULL,
  version      bigint NOT NULL CHECK (version > 0),
  -- one order of each checkout
  checkout_id  uuid   NOT NULL,
  -- by which people call it, once it is confirmed
  number       text,
  state        text   NOT NULL,
  PRIMARY KEY (tenant_id, order_id),
  CONSTRAINT orders_checkout_key UNIQUE (tenant_id, checkout_id),
  CONSTRAINT orders_number_key UNIQUE (tenant_id, number)
);

-- The last number of each shop. Its row is locked for as long as an order is confirmed, and never while somebody else is asked.
CREATE TABLE orders.numbers (
  tenant_id uuid   PRIMARY KEY,
  last      bigint NOT NULL CHECK (last >= 0)
);

SELECT installation.grant_context('orders');
