-- How much a shop may have and ask for.
ALTER TABLE tenants ADD COLUMN quotas jsonb NOT NULL DEFAULT '{}';
-- A second set of views is of the shape that the live one had when it was made.
DO $$
BEGIN
  IF to_regclass('standby.tenants') IS NOT NULL THEN
    ALTER TABLE standby.tenants ADD COLUMN quotas jsonb NOT NULL DEFAULT '{}';
  END IF;
END $$;
