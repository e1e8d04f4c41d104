//! The rows of searches and sums, written for a whole batch at once.

use super::{Asked, Followed, Ledger, ProductFigures, QueryFigures, Search, SearchKey};
use schemas::{
    NaiveDate, Uuid,
    ids::{ProductId, TenantId},
};
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

pub async fn searches(
    connection: &mut PgConnection,
    named: &BTreeSet<SearchKey>,
) -> Result<BTreeMap<SearchKey, Search>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT s.tenant_id, s.query_id, s.day, s.query, s.experiment, s.arm, s.clicks, s.placed_clicks, s.click_positions,
                s.carts, s.purchases, s.acted
         FROM unnest($1::uuid[], $2::text[]) AS k(t, q)
         JOIN insight_searches s ON s.tenant_id = k.t AND s.query_id = k.q",
    )
    .bind(named.iter().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(named.iter().map(|(_, query_id)| query_id.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut searches = BTreeMap::new();
    for row in rows {
        let asked = match row.try_get::<Option<NaiveDate>, _>("day")? {
            Some(day) => Some(Asked {
                day,
                query: row.try_get("query")?,
                experiment: row.try_get("experiment")?,
                arm: row.try_get("arm")?,
            }),
            None => None,
        };
        let followed = Followed {
            clicks: row.try_get("clicks")?,
            placed_clicks: row.try_get("placed_clicks")?,
            click_positions: row.try_get("click_positions")?,
            carts: row.try_get("carts")?,
            purchases: row.try_get("purchases")?,
        };
        let (tenant, acted): (Uuid, _) = (row.try_get("tenant_id")?, row.try_get("acted")?);
        searches.insert((TenantId(tenant), row.try_get("query_id")?), Search { asked, followed, acted });
    }
    Ok(searches)
}

pub async fn store_searches(connection: &mut PgConnection, ledger: &Ledger) -> Result<(), sqlx::Error> {
    let moved: Vec<(&SearchKey, &Search)> =
        ledger.moved.iter().filter_map(|key| ledger.searches.get_key_value(key)).collect();
    let asked = |of: fn(&Asked) -> &str| -> Vec<Option<&str>> {
        moved.iter().map(|(_, search)| search.asked.as_ref().map(of)).collect()
    };
    let followed =
        |of: fn(&Followed) -> i64| -> Vec<i64> { moved.iter().map(|(_, search)| of(&search.followed)).collect() };
    sqlx::query(
        "INSERT INTO insight_searches (tenant_id, query_id, day, query, experiment, arm, clicks, placed_clicks, click_positions,
                                       carts, purchases, acted)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
                              $9::bigint[], $10::bigint[], $11::bigint[], $12::date[])
         ON CONFLICT (tenant_id, query_id) DO UPDATE
         SET day = excluded.day, query = excluded.query, experiment = excluded.experiment, arm = excluded.arm,
             clicks = excluded.clicks, placed_clicks = excluded.placed_clicks, click_positions = excluded.click_positions,
             carts = excluded.carts, purchases = excluded.purchases, acted = excluded.acted",
    )
    .bind(moved.iter().map(|((tenant, _), _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(moved.iter().map(|((_, query_id), _)| query_id.as_str()).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, search)| search.asked.as_ref().map(|asked| asked.day)).collect::<Vec<_>>())
    .bind(asked(|asked| &asked.query))
    .bind(asked(|asked| &asked.experiment))
    .bind(asked(|asked| &asked.arm))
    .bind(followed(|followed| followed.clicks))
    .bind(followed(|followed| followed.placed_clicks))
    .bind(followed(|followed| followed.click_positions))
    .bind(followed(|followed| followed.carts))
    .bind(followed(|followed| followed.purchases))
    .bind(moved.iter().map(|(_, search)| search.acted).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn add_to_queries(
    connection: &mut PgConnection,
    queries: &BTreeMap<(TenantId, Asked), QueryFigures>,
) -> Result<(), sqlx::Error> {
    let asked = |of: fn(&Asked) -> &str| -> Vec<&str> { queries.keys().map(|(_, asked)| of(asked)).collect() };
    let figures = |of: fn(&QueryFigures) -> i64| -> Vec<i64> { queries.values().map(of).collect() };
    sqlx::query(
        "INSERT INTO insight_queries AS q (tenant_id, day, query, experiment, arm, searches, no_results, clicks, placed_clicks,
                                           click_positions, carts, purchases, clicked_searches, purchased_searches)
         SELECT * FROM unnest($1::uuid[], $2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
                              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
         ON CONFLICT (tenant_id, day, query, experiment, arm) DO UPDATE
         SET searches = q.searches + excluded.searches, no_results = q.no_results + excluded.no_results,
             clicks = q.clicks + excluded.clicks, placed_clicks = q.placed_clicks + excluded.placed_clicks,
             click_positions = q.click_positions + excluded.click_positions, carts = q.carts + excluded.carts,
             purchases = q.purchases + excluded.purchases, clicked_searches = q.clicked_searches + excluded.clicked_searches,
             purchased_searches = q.purchased_searches + excluded.purchased_searches",
    )
    .bind(queries.keys().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(queries.keys().map(|(_, asked)| asked.day).collect::<Vec<_>>())
    .bind(asked(|asked| &asked.query))
    .bind(asked(|asked| &asked.experiment))
    .bind(asked(|asked| &asked.arm))
    .bind(figures(|of| of.searches))
    .bind(figures(|of| of.no_results))
    .bind(figures(|of| of.followed.clicks))
    .bind(figures(|of| of.followed.placed_clicks))
    .bind(figures(|of| of.followed.click_positions))
    .bind(figures(|of| of.followed.carts))
    .bind(figures(|of| of.followed.purchases))
    .bind(figures(|of| of.clicked_searches))
    .bind(figures(|of| of.purchased_searches))
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn add_to_products(
    connection: &mut PgConnection,
    products: &BTreeMap<(TenantId, NaiveDate, ProductId), ProductFigures>,
) -> Result<(), sqlx::Error> {
    let figures = |of: fn(&ProductFigures) -> i64| -> Vec<i64> { products.values().map(of).collect() };
    sqlx::query(
        "INSERT INTO insight_products AS p (tenant_id, day, product_id, impressions, clicks, carts, purchases)
         SELECT * FROM unnest($1::uuid[], $2::date[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
         ON CONFLICT (tenant_id, day, product_id) DO UPDATE
         SET impressions = p.impressions + excluded.impressions, clicks = p.clicks + excluded.clicks,
             carts = p.carts + excluded.carts, purchases = p.purchases + excluded.purchases",
    )
    .bind(products.keys().map(|(tenant, _, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(products.keys().map(|(_, day, _)| *day).collect::<Vec<_>>())
    .bind(products.keys().map(|(_, _, product)| product.uuid()).collect::<Vec<_>>())
    .bind(figures(|of| of.impressions))
    .bind(figures(|of| of.clicks))
    .bind(figures(|of| of.carts))
    .bind(figures(|of| of.purchases))
    .execute(connection)
    .await?;
    Ok(())
}
