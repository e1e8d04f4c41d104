-- query-api logs in with a role that can read this database and nothing else.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'souk_query') THEN
    CREATE ROLE souk_query LOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database's migration was faster
END $$;
GRANT USAGE ON SCHEMA public TO souk_query;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO souk_query;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO souk_query;
