-- Single searches are let go when they are old; the sums by day stay.

-- The last day on which something followed from a search that is named before it is known: tells how old such a
-- row is, which has no day of its own.
ALTER TABLE insight_searches ADD COLUMN acted date;
UPDATE insight_searches SET acted = current_date WHERE day IS NULL;

CREATE INDEX insight_searches_age ON insight_searches (coalesce(day, acted));

-- Searches before this day may be gone.
CREATE TABLE insight_retention (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  before   date    NOT NULL
);
