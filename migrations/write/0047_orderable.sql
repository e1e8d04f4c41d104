-- Whether a variant can be ordered, as a checkout sees it: what operators compare with what shoppers are shown. It tells
-- nothing else of products and stock, which stay closed to them; see docs/decisions/0046 and docs/guides/stock.md.
CREATE FUNCTION installation.orderable(shop uuid, variant uuid)
RETURNS TABLE (catalog_version bigint, stock_version bigint, is_published boolean, available bigint, promised bigint)
LANGUAGE sql STABLE AS $$
  SELECT p.version, coalesce(s.version, 0), p.status = 'published', coalesce(l.available, 0)::bigint,
         greatest(0, coalesce(s.backorder_limit, 0) + least(0, coalesce(l.available_there, 0)))::bigint
  FROM catalog.variants AS v
  JOIN catalog.products AS p ON p.tenant_id = v.tenant_id AND p.product_id = v.product_id
  LEFT JOIN inventory.stock_items AS s ON s.tenant_id = v.tenant_id AND s.variant_id = v.variant_id
  CROSS JOIN LATERAL (
    SELECT sum(n.on_hand - n.reserved - n.committed) AS available,
           sum(n.on_hand - n.reserved - n.committed) FILTER (WHERE n.location = s.backorder_location) AS available_there
    FROM inventory.levels AS n WHERE n.tenant_id = v.tenant_id AND n.variant_id = v.variant_id) AS l
  WHERE v.tenant_id = orderable.shop AND v.variant_id = orderable.variant
$$;
ALTER FUNCTION installation.orderable(uuid, uuid) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
REVOKE EXECUTE ON FUNCTION installation.orderable(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION installation.orderable(uuid, uuid) TO souk_reindex;
