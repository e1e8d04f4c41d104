-- The nodes that keep copies of the index. A name belongs to one index folder: the index writer of the folder claims it
-- at its start and renews it every second. A row that is no longer renewed belongs to a node that is gone.
CREATE TABLE index_nodes (
  node         text PRIMARY KEY,
  -- drawn when the folder was first used; it stands in the folder, too
  folder       uuid NOT NULL,
  -- the index writer that renews it, drawn at its start
  instance     uuid NOT NULL,
  -- the machine it runs on, for whoever looks for a name that is used twice
  host         text NOT NULL,
  heartbeat_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON index_nodes TO souk_query;
