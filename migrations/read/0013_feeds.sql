-- Every feed has a checkpoint of its own (docs/decisions/0028): what was the one projection `views` goes on where it
-- was, each topic under the name of the feed that follows it now. Topics are named <prefix>souk.<context>.v1[.<epoch>].
CREATE FUNCTION pg_temp.feed(topic text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE substring(topic FROM 'souk\.([a-z_]+)\.v[0-9]+(\.[0-9TZ]+)?$')
           WHEN 'merchandising' THEN 'merchandising'
           WHEN 'insights' THEN 'insights'
           ELSE 'products'
         END
$$;

UPDATE checkpoints SET projection = pg_temp.feed(topic) WHERE projection = 'views';
UPDATE dead_letters SET projection = pg_temp.feed(topic) WHERE projection = 'views';
-- Both are told anew within a second.
DELETE FROM projection_status WHERE projection = 'views';
DELETE FROM tenant_lag WHERE projection = 'views';
