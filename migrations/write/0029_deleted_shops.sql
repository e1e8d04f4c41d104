-- Shops that an administrator has deleted; see docs/decisions/0056. Nobody finds one any more, and its row stays until its data
-- are gone, so that its name can't be taken before.
ALTER TABLE tenants.tenants ADD COLUMN deleted boolean NOT NULL DEFAULT false;

-- Which shops were deleted: what comes back of one by a recovery goes again.
CREATE TABLE tenants.deleted (
  tenant_id   uuid        PRIMARY KEY,
  deleted_at  timestamptz NOT NULL DEFAULT now(),
  -- since when nothing new is begun for it
  seen_at     timestamptz,
  -- when its data were last looked for
  swept_at    timestamptz,
  -- when none were left
  finished_at timestamptz
);

SELECT installation.grant_context('tenants');
-- The reconciler does not miss in the views what goes on both sides.
GRANT SELECT ON tenants.deleted TO souk_reindex;

-- The tables from which the rows of a deleted shop go, in the order in which they do: keys first, since nobody can read what was
-- sealed with them from then on; the ids of what was removed last, since removing writes them. Not the audit, and not what
-- happened to the shop itself: who deleted it, and what was done before, can still be proved.
CREATE VIEW installation.tables_of_shops AS
  SELECT n.nspname::text AS context, c.relname::text AS name, c.relispartition AS is_outbox,
         CASE WHEN c.relname IN ('person_keys', 'shop_keys', 'token_key_secrets') THEN 0 WHEN c.relname = 'removed' THEN 2 ELSE 1 END AS turn
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname IN (SELECT context FROM installation.outbox_partitions) AND n.nspname <> 'audit'
    AND NOT (n.nspname = 'tenants' AND (c.relispartition OR c.relname IN ('tenants', 'deleted')))
    AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped);

-- Deletes up to so many rows of a deleted shop from one of these tables, and says how many went. Events go once they are
-- published. write-api, which else can't take anything out of a history, may do it for deleted shops alone.
CREATE FUNCTION installation.forget_shop(shop uuid, context text, name text, most integer) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  is_outbox boolean;
  gone      bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM tenants.deleted AS d WHERE d.tenant_id = shop) THEN
    RAISE insufficient_privilege USING MESSAGE = 'the shop is not deleted';
  END IF;
  SELECT t.is_outbox INTO is_outbox FROM installation.tables_of_shops AS t
    WHERE t.context = forget_shop.context AND t.name = forget_shop.name;
  -- A month may have been archived meanwhile.
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  EXECUTE format('DELETE FROM %1$I.%2$I WHERE ctid = ANY(ARRAY(SELECT ctid FROM %1$I.%2$I WHERE tenant_id = $1 %3$s LIMIT $2))',
                 context, name, CASE WHEN is_outbox THEN 'AND published_at IS NOT NULL' ELSE '' END) USING shop, most;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
REVOKE EXECUTE ON FUNCTION installation.forget_shop(uuid, text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION installation.forget_shop(uuid, text, text, integer) TO souk_write;
GRANT SELECT ON installation.tables_of_shops TO souk_write;
