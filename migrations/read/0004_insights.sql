-- What shoppers searched for and did, as sums by day (UTC). Each report is added once: the version of its
-- client's row in sources says whether it was, and moves in the same transaction.

-- Each search: what a click that names it belongs to. A click may come first; then there is no text yet.
CREATE TABLE insight_searches (
  tenant_id       uuid   NOT NULL,
  query_id        text   NOT NULL,
  -- these four are NULL until the search itself has come
  day             date,
  query           text,
  experiment      text,
  arm             text,
  clicks          bigint NOT NULL,
  placed_clicks   bigint NOT NULL,
  click_positions bigint NOT NULL,
  carts           bigint NOT NULL,
  purchases       bigint NOT NULL,
  PRIMARY KEY (tenant_id, query_id)
);

-- By query, trimmed, in lower case, with single spaces; experiment and arm are empty outside of one.
CREATE TABLE insight_queries (
  tenant_id          uuid   NOT NULL,
  day                date   NOT NULL,
  query              text   NOT NULL,
  experiment         text   NOT NULL,
  arm                text   NOT NULL,
  searches           bigint NOT NULL,
  no_results         bigint NOT NULL,
  clicks             bigint NOT NULL,
  -- clicks that said where, and the sum of their places
  placed_clicks      bigint NOT NULL,
  click_positions    bigint NOT NULL,
  carts              bigint NOT NULL,
  purchases          bigint NOT NULL,
  -- searches with at least one click, with at least one purchase
  clicked_searches   bigint NOT NULL,
  purchased_searches bigint NOT NULL,
  PRIMARY KEY (tenant_id, day, query, experiment, arm)
);
CREATE INDEX insight_queries_experiment ON insight_queries (tenant_id, experiment, day) WHERE experiment <> '';

CREATE TABLE insight_products (
  tenant_id   uuid   NOT NULL,
  day         date   NOT NULL,
  product_id  uuid   NOT NULL,
  impressions bigint NOT NULL,
  clicks      bigint NOT NULL,
  carts       bigint NOT NULL,
  purchases   bigint NOT NULL,
  PRIMARY KEY (tenant_id, day, product_id)
);

GRANT SELECT ON insight_searches, insight_queries, insight_products TO souk_query;
