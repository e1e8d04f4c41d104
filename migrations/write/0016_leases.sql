-- How long each leader is believed to be at work; it renews its lease. See docs/decisions/0040.
CREATE TABLE leases (
  name  text        PRIMARY KEY,
  term  bigint      NOT NULL,
  until timestamptz NOT NULL
);
