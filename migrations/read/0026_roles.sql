-- A login for each process, with what it needs and nothing else; see docs/decisions/0046 and docs/guides/databases.md. A role
-- that is missing is made without a login: whoever runs the installation gives it a password. A migration that adds a table
-- grants it to those who use it.
DO $$
DECLARE missing text;
BEGIN
  FOREACH missing IN ARRAY ARRAY['souk_projector', 'souk_reindex'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = missing);
    BEGIN
      EXECUTE format('CREATE ROLE %I', missing);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL; -- another database's migration was faster
      WHEN insufficient_privilege THEN
        RAISE insufficient_privilege USING MESSAGE = format(
          'the role %1$s is missing, and %2$s may not create roles. Let an administrator run CREATE ROLE %1$s LOGIN PASSWORD ''...'', and migrate again',
          missing, current_user);
    END;
  END LOOP;
END $$;

GRANT USAGE ON SCHEMA public, standby, installation TO souk_projector, souk_reindex;

-- All that is here is the projector's to write.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, standby, installation TO souk_projector;
REVOKE ALL ON _sqlx_migrations FROM souk_projector;

-- Operators look at everything, and change generations and what they decided about dead letters. The reconciler composes
-- products anew, and has a feed take events again.
GRANT SELECT ON ALL TABLES IN SCHEMA public, standby, installation TO souk_reindex;
GRANT INSERT, UPDATE, DELETE ON
  index_generations, index_switches, index_watches, generation_proofs, operations, probes, reconciliations, views_standby,
  dead_letters, dead_letter_history, discarded_events, document_outbox
TO souk_reindex;
GRANT INSERT, UPDATE, DELETE ON product_pages, listing, documents TO souk_reindex;
GRANT UPDATE, DELETE ON sources, checkpoints, projection_status TO souk_reindex;

-- Making, moving and dropping tables is the owner's: the processes ask for it by these.

-- Makes a table of the second set in the very shape of the live one, with the same rights. Constraints and indexes keep their
-- names, which are free in the other schema: a later migration finds them whichever set is live.
CREATE FUNCTION installation.create_standby(live text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  model regclass := format('public.%I', live)::regclass;
  step  text;
BEGIN
  EXECUTE format('CREATE TABLE standby.%1$I (LIKE public.%1$I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED
                    INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMMENTS)', live);
  FOR step IN
    SELECT format('ALTER TABLE standby.%I ADD CONSTRAINT %I %s', live, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = model AND contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT regexp_replace(pg_get_indexdef(i.indexrelid), ' ON public\.', ' ON standby.')
    FROM pg_index AS i WHERE i.indrelid = model
      AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
    UNION ALL
    SELECT format('GRANT %s ON standby.%I TO %I', acl.privilege_type, live, r.rolname)
    FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS acl JOIN pg_roles AS r ON r.oid = acl.grantee
    WHERE c.oid = model AND acl.grantee <> c.relowner
  LOOP
    EXECUTE step;
  END LOOP;
END $$;

CREATE FUNCTION installation.drop_standby(standby text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('DROP TABLE standby.%I', standby);
END $$;

-- So that what is promoted is planned for as well as what it replaces.
CREATE FUNCTION installation.analyze_standby(standby text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ANALYZE standby.%I', standby);
END $$;

-- Lets the tables of both sets change places, as soon as nobody uses them; the session's `lock_timeout` says how long that is
-- waited for.
CREATE FUNCTION installation.swap_views(views text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE one text;
BEGIN
  EXECUTE (SELECT 'LOCK TABLE ' || string_agg(format('public.%1$I, standby.%1$I', v), ', ' ORDER BY n) || ' IN ACCESS EXCLUSIVE MODE'
           FROM unnest(views) WITH ORDINALITY AS listed(v, n));
  FOREACH one IN ARRAY views LOOP
    EXECUTE format('ALTER TABLE public.%I SET SCHEMA swapping', one);
    EXECUTE format('ALTER TABLE standby.%I SET SCHEMA public', one);
    EXECUTE format('ALTER TABLE swapping.%I SET SCHEMA standby', one);
  END LOOP;
END $$;

-- Makes the index of a set of vectors, unless it is there: of vectors of one length, of this set alone.
CREATE FUNCTION installation.index_vectors(name text, length integer, set_key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE extension text := (SELECT n.nspname FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector');
BEGIN
  EXECUTE format('CREATE INDEX IF NOT EXISTS %1$I ON public.embeddings
                    USING hnsw ((embedding::%2$I.halfvec(%3$s)) %2$I.halfvec_cosine_ops) WHERE model_id = %4$L',
                 name, extension, length, set_key);
END $$;

CREATE FUNCTION installation.forget_vector_index(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
             WHERE i.indrelid = 'public.embeddings'::regclass AND starts_with(c.relname, 'embeddings_hnsw_') AND c.relname = forget_vector_index.name) THEN
    EXECUTE format('DROP INDEX public.%I', name);
  END IF;
END $$;

DO $$
DECLARE
  own  record;
BEGIN
  FOR own IN
    SELECT * FROM (VALUES
      ('create_standby(text)', 'souk_projector'), ('drop_standby(text)', 'souk_projector'),
      ('index_vectors(text, integer, text)', 'souk_projector'), ('forget_vector_index(text)', 'souk_projector'),
      ('analyze_standby(text)', 'souk_reindex'), ('swap_views(text[])', 'souk_reindex')) AS listed(called, caller)
  LOOP
    EXECUTE format('ALTER FUNCTION installation.%s SECURITY DEFINER SET search_path = pg_catalog, pg_temp', own.called);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION installation.%s FROM PUBLIC', own.called);
    EXECUTE format('GRANT EXECUTE ON FUNCTION installation.%s TO %I', own.called, own.caller);
  END LOOP;
END $$;
