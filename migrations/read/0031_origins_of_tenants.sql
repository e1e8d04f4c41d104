-- The origins of web pages that may read a shop's answers.
ALTER TABLE tenants ADD COLUMN origins text[] NOT NULL DEFAULT '{}';
-- A second set of views is of the shape that the live one had when it was made.
DO $$
BEGIN
  IF to_regclass('standby.tenants') IS NOT NULL THEN
    ALTER TABLE standby.tenants ADD COLUMN origins text[] NOT NULL DEFAULT '{}';
  END IF;
END $$;
