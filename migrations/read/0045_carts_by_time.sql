-- Carts that a promotion is tried on are found by when they were changed last. What has expired has nothing in it.
CREATE INDEX carts_by_time ON carts (tenant_id, touched_at DESC, cart_id DESC) WHERE phase <> 'expired';

-- A second set of views is of the shape that the live one had when it was made.
DO $$
BEGIN
  IF to_regclass('standby.carts') IS NOT NULL THEN
    CREATE INDEX carts_by_time ON standby.carts (tenant_id, touched_at DESC, cart_id DESC) WHERE phase <> 'expired';
  END IF;
END $$;
