//! What has to hold in the write database.

use super::Invariant;

/// All that is looked at in one database transaction.
pub const ALL: &[Invariant] = &[
    Invariant {
        key: "ledger_balanced",
        name: "the ledger is balanced in each currency",
        sql: "SELECT format('shop %s: %s %s', tenant_id, sum(CASE side WHEN 'debit' THEN amount ELSE -amount END), currency)
              FROM payments.ledger_entries GROUP BY tenant_id, currency
              HAVING sum(CASE side WHEN 'debit' THEN amount ELSE -amount END) <> 0",
    },
    Invariant {
        key: "stock_held",
        name: "what is reserved and committed is what reservations hold",
        sql: "WITH held AS (
                SELECT tenant_id, variant_id, location, sum(quantity) FILTER (WHERE state = 'held') AS reserved,
                       sum(quantity) FILTER (WHERE state = 'committed') AS committed
                FROM inventory.reservations WHERE state IN ('held', 'committed') GROUP BY 1, 2, 3)
              SELECT format('variant %s at %s: %s reserved, %s held; %s committed, %s by reservations', variant_id, location,
                            coalesce(l.reserved, 0), coalesce(h.reserved, 0), coalesce(l.committed, 0), coalesce(h.committed, 0))
              FROM inventory.levels AS l FULL JOIN held AS h USING (tenant_id, variant_id, location)
              WHERE coalesce(l.reserved, 0) <> coalesce(h.reserved, 0) OR coalesce(l.committed, 0) <> coalesce(h.committed, 0)",
    },
    Invariant {
        key: "stock_moved",
        name: "what is on hand is the sum of what has moved",
        sql: "WITH moved AS (SELECT tenant_id, variant_id, location, sum(pieces) AS pieces FROM inventory.movements GROUP BY 1, 2, 3)
              SELECT format('variant %s at %s: %s on hand, %s moved', variant_id, location, coalesce(on_hand, 0), coalesce(pieces, 0))
              FROM inventory.levels FULL JOIN moved USING (tenant_id, variant_id, location)
              WHERE coalesce(on_hand, 0) <> coalesce(pieces, 0)",
    },
    Invariant {
        key: "nothing_oversold",
        name: "nothing is sold that is not there",
        sql: "SELECT format('variant %s at %s: %s on hand, %s reserved, %s committed', l.variant_id, location, on_hand, reserved, committed)
              FROM inventory.levels AS l JOIN inventory.stock_items AS i USING (tenant_id, variant_id)
              WHERE on_hand - reserved - committed < CASE WHEN i.backorder_location = location THEN -i.backorder_limit ELSE 0 END",
    },
    Invariant {
        key: "ended_checkouts_hold_nothing",
        name: "a checkout that has ended holds nothing",
        sql: "SELECT format('checkout %s: reservation %s of variant %s', c.checkout_id, r.reservation_id, r.variant_id)
              FROM checkout.checkouts AS c JOIN inventory.reservations AS r ON r.tenant_id = c.tenant_id AND r.checkout_id = c.checkout_id
              WHERE c.is_over AND r.state = 'held'
              UNION ALL
              SELECT format('checkout %s: a use of promotion %s', c.checkout_id, u.promotion_id)
              FROM checkout.checkouts AS c JOIN promotions.usages AS u ON u.tenant_id = c.tenant_id AND u.checkout_id = c.checkout_id
              WHERE c.is_over AND u.stage = 'reserved'",
    },
    Invariant {
        key: "promotions_within_limits",
        name: "promotions are used within their limits, as often as uses say",
        sql: "SELECT format('promotion %s, %s %s: %s reserved, %s by uses; %s consumed, %s by uses; at most %s', c.promotion_id, c.counts, c.key,
                            c.reserved, u.reserved, c.consumed, u.consumed, c.most)
              FROM promotions.counters AS c CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE stage = 'reserved') AS reserved, count(*) FILTER (WHERE stage = 'consumed') AS consumed
                FROM promotions.usages AS u
                WHERE u.tenant_id = c.tenant_id AND u.promotion_id = c.promotion_id
                  AND CASE c.counts WHEN 'customer' THEN u.customer = c.key WHEN 'code' THEN u.code = c.key ELSE true END) AS u
              WHERE c.reserved <> u.reserved OR c.consumed <> u.consumed OR c.reserved + c.consumed > c.most",
    },
    Invariant {
        key: "orders_match_ledger",
        name: "what orders know to be paid is what the ledger has of them",
        sql: "WITH of_orders AS (
                SELECT tenant_id, substr(account, 6)::uuid AS order_id, sum(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS net
                FROM payments.ledger_entries WHERE account LIKE '1100:%' GROUP BY 1, 2),
              known AS (
                SELECT tenant_id, order_id, (state::jsonb ->> 'paid')::bigint - (state::jsonb ->> 'refunded')::bigint AS net
                FROM orders.orders AS o
                WHERE NOT EXISTS (SELECT FROM processes.processes AS p
                                  WHERE p.tenant_id = o.tenant_id AND p.process_id = o.checkout_id AND p.ended_at IS NULL))
              SELECT format('order %s: %s paid, %s in the ledger', order_id, k.net, coalesce(l.net, 0))
              FROM known AS k LEFT JOIN of_orders AS l USING (tenant_id, order_id) WHERE k.net <> coalesce(l.net, 0)
              UNION ALL
              SELECT format('order %s: %s in the ledger, and no such order', order_id, l.net)
              FROM of_orders AS l LEFT JOIN orders.orders AS o USING (tenant_id, order_id) WHERE o.order_id IS NULL",
    },
    Invariant {
        key: "paid_orders_are_paid",
        name: "an order that says it is paid is paid",
        sql: "SELECT format('order %s: %s of %s', order_id, o.state::jsonb ->> 'paid', r.revision -> 'quote' -> 'totals' ->> 'total')
              FROM orders.orders AS o CROSS JOIN LATERAL (SELECT o.state::jsonb -> 'revisions' -> -1 AS revision) AS r
              WHERE o.state::jsonb ->> 'payment' = 'paid'
                AND (o.state::jsonb ->> 'paid')::bigint < (r.revision -> 'quote' -> 'totals' ->> 'total')::bigint",
    },
    Invariant {
        key: "totals_are_sums",
        name: "totals of orders are the sums of their lines",
        sql: "SELECT format('order %s: %s is not %s', order_id, total, lines + shipping + rounding)
              FROM (SELECT order_id, (q.quote -> 'totals' ->> 'total')::bigint AS total,
                           coalesce((q.quote -> 'totals' ->> 'cash_rounding')::bigint, 0) AS rounding,
                           (SELECT coalesce(sum((line ->> 'total')::bigint), 0) FROM jsonb_array_elements(q.quote -> 'lines') AS line) AS lines,
                           (SELECT coalesce(sum((charge ->> 'total')::bigint), 0) FROM jsonb_array_elements(q.quote -> 'shipping') AS charge) AS shipping
                    FROM orders.orders AS o CROSS JOIN LATERAL (SELECT o.state::jsonb -> 'revisions' -> -1 -> 'quote' AS quote) AS q) AS sums
              WHERE total <> lines + shipping + rounding",
    },
    Invariant {
        key: "processes_in_time",
        name: "no process stands still, or is behind its time by a minute",
        sql: "SELECT format('%s %s: %s', name, process_id,
                            CASE WHEN parked_at IS NULL THEN format('was due at %s', wake_at)
                                 ELSE format('stands still at %s: %s', parked_step, parked_reason) END)
              FROM processes.processes
              WHERE ended_at IS NULL AND (parked_at IS NOT NULL OR wake_at < now() - interval '1 minute')",
    },
    Invariant {
        key: "one_order_of_a_cart",
        name: "a cart has become one order at most",
        sql: "SELECT format('cart %s: %s orders', state::jsonb ->> 'cart_id', count(*))
              FROM orders.orders WHERE number IS NOT NULL GROUP BY tenant_id, state::jsonb ->> 'cart_id' HAVING count(*) > 1",
    },
    Invariant {
        key: "checkouts_match_orders",
        name: "a checkout that is completed has a confirmed order, and no other has one",
        sql: "SELECT format('checkout %s: %s, its order has %s', checkout_id, c.state::jsonb -> 'phase' ->> 'kind', coalesce('number ' || o.number, 'no number'))
              FROM checkout.checkouts AS c LEFT JOIN orders.orders AS o USING (tenant_id, checkout_id)
              WHERE c.is_over AND o.state::jsonb ->> 'lifecycle' IS DISTINCT FROM 'cancelled'
                AND (c.state::jsonb -> 'phase' ->> 'kind' = 'completed') <> (o.number IS NOT NULL)",
    },
];
