-- A shop that was deleted: its row stays, without its names, so that no event of it is applied any more, in whatever order
-- events are read again.
ALTER TABLE tenants ADD COLUMN deleted boolean NOT NULL DEFAULT false,
  -- the feeds that have nothing of it left in their tables
  ADD COLUMN swept_by text[] NOT NULL DEFAULT '{}';
CREATE INDEX tenants_deleted ON tenants (id) WHERE deleted;
-- A second set of views is of the shape that the live one had when it was made.
DO $$
BEGIN
  IF to_regclass('standby.tenants') IS NOT NULL THEN
    ALTER TABLE standby.tenants ADD COLUMN deleted boolean NOT NULL DEFAULT false, ADD COLUMN swept_by text[] NOT NULL DEFAULT '{}';
    CREATE INDEX tenants_deleted ON standby.tenants (id) WHERE deleted;
  END IF;
END $$;
