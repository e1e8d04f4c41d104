-- Orders of guests become those of the account whose address they were made with, once that address is proved.

-- What stands for the address of a guest; none of an order that is an account's.
ALTER TABLE orders.orders ADD COLUMN guest_key text;
CREATE INDEX orders_guest_key ON orders.orders (tenant_id, guest_key) WHERE guest_key IS NOT NULL;

-- Whose address was proved, and whose orders as a guest were not looked for since.
CREATE TABLE accounts.proved_addresses (
  tenant_id uuid        NOT NULL,
  user_id   uuid        NOT NULL,
  proved_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);

-- Guests that somebody was: what is sealed by their keys is erased with the account.
CREATE TABLE accounts.former_guests (
  tenant_id uuid NOT NULL,
  user_id   uuid NOT NULL,
  guest_id  uuid NOT NULL,
  PRIMARY KEY (tenant_id, user_id, guest_id)
);

SELECT installation.grant_context('accounts');
SELECT installation.grant_context('orders');
