-- A shop that an administrator has closed for the time being, and why.
ALTER TABLE tenants ADD COLUMN suspended text;
-- A second set of views is of the shape that the live one had when it was made.
DO $$
BEGIN
  IF to_regclass('standby.tenants') IS NOT NULL THEN
    ALTER TABLE standby.tenants ADD COLUMN suspended text;
  END IF;
END $$;
