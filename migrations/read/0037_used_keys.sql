-- The last day on which a key was used, in UTC.
ALTER TABLE keys ADD last_used date;
-- A second set of views is of the shape that the live one had when it was made.
DO $$
BEGIN
  IF to_regclass('standby.keys') IS NOT NULL THEN
    ALTER TABLE standby.keys ADD last_used date;
  END IF;
END $$;
