-- The second set of the views: built anew from the events beside the live one, and after a promotion what was live
-- before. One set at a time; see docs/guides/rebuild-views.md.
CREATE SCHEMA standby;
GRANT USAGE ON SCHEMA standby TO souk_query;
-- Where tables are for the moment in which two sets change places.
CREATE SCHEMA swapping;
GRANT USAGE ON SCHEMA swapping TO souk_query;

CREATE TABLE views_standby (
  one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
  -- building: reads the events from the beginning, then follows; verified: proven equal, or with differences that were
  -- accepted; previous: was live until swapped_at and is kept up, for the way back; failed, cancelled: gone
  state      text        NOT NULL CHECK (state IN ('building', 'verified', 'previous', 'failed', 'cancelled')),
  -- events a second it may take; NULL for no limit
  rate_limit integer,
  asked_at   timestamptz NOT NULL DEFAULT now(),
  asked_by   text        NOT NULL DEFAULT '',
  note       text        NOT NULL DEFAULT '',
  -- what the last verification found
  proof      jsonb,
  swapped_at timestamptz
);
GRANT SELECT ON views_standby TO souk_query;
