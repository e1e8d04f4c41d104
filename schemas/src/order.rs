//! Where an order stands: three things that move by themselves, and the one word that is shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As events, tables and answers have it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// How far the order itself is.
    Lifecycle {
        /// It is there, and not yet certain.
        Created = "created",
        /// The shop owes the goods.
        Confirmed = "confirmed",
        /// Nothing is left to do.
        Closed = "closed",
        /// Nobody owes anything any more.
        Cancelled = "cancelled",
    }
}

words! {
    /// How far it is paid, by what payments tell.
    OrderPayment {
        /// Nothing has come, and nothing is under way.
        Unpaid = "unpaid",
        /// It is under way, or due in cash.
        Pending = "pending",
        /// Somebody holds the money for the shop.
        Authorized = "authorized",
        /// Less has come than it costs.
        PartlyPaid = "partly_paid",
        /// All has come.
        Paid = "paid",
        /// Some of it went back.
        PartlyRefunded = "partly_refunded",
        /// All of it went back.
        Refunded = "refunded",
        /// The shopper's bank questions it.
        Disputed = "disputed",
        /// The shopper's bank has taken it back.
        ChargedBack = "charged_back",
        /// More has come than it costs.
        Overpaid = "overpaid",
    }
}

words! {
    /// How far the goods are, by what shipments tell.
    Fulfilment {
        /// Nothing has left.
        Unfulfilled = "unfulfilled",
        /// Some of it has left.
        PartlyShipped = "partly_shipped",
        /// All of it has left.
        Shipped = "shipped",
        /// All of it has arrived.
        Delivered = "delivered",
        /// It could not be handed over.
        Undeliverable = "undeliverable",
        /// It came back.
        Returned = "returned",
    }
}

words! {
    /// The one word that is shown.
    OrderStatus {
        /// It is not yet certain.
        Created = "created",
        /// It is certain, and not paid.
        Confirmed = "confirmed",
        /// It is paid, and nothing has left.
        Paid = "paid",
        /// Goods are on their way.
        Shipped = "shipped",
        /// The goods have arrived.
        Delivered = "delivered",
        /// The money went back.
        Refunded = "refunded",
        /// Nothing is left to do.
        Closed = "closed",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

/// The word that is shown of an order. It is total: each combination has one, those that should never be included.
#[must_use]
pub const fn status(lifecycle: Lifecycle, payment: OrderPayment, fulfilment: Fulfilment) -> OrderStatus {
    match (lifecycle, payment, fulfilment) {
        (Lifecycle::Cancelled, _, _) => OrderStatus::Cancelled,
        (Lifecycle::Closed, _, _) => OrderStatus::Closed,
        (_, OrderPayment::Refunded | OrderPayment::ChargedBack, _) => OrderStatus::Refunded,
        (Lifecycle::Created, _, _) => OrderStatus::Created,
        (Lifecycle::Confirmed, _, Fulfilment::Delivered | Fulfilment::Returned) => OrderStatus::Delivered,
        (Lifecycle::Confirmed, _, Fulfilment::PartlyShipped | Fulfilment::Shipped | Fulfilment::Undeliverable) => {
            OrderStatus::Shipped
        }
        (
            Lifecycle::Confirmed,
            OrderPayment::Paid | OrderPayment::PartlyRefunded | OrderPayment::Disputed | OrderPayment::Overpaid,
            Fulfilment::Unfulfilled,
        ) => OrderStatus::Paid,
        (
            Lifecycle::Confirmed,
            OrderPayment::Unpaid | OrderPayment::Pending | OrderPayment::Authorized | OrderPayment::PartlyPaid,
            Fulfilment::Unfulfilled,
        ) => OrderStatus::Confirmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of docs/guides/orders.md: the first row that fits counts.
    fn tabled(lifecycle: &str, payment: &str, fulfilment: &str) -> &'static str {
        type Words = &'static [&'static str];
        let rows: [(Words, Words, Words, &str); 8] = [
            (&["cancelled"], &[], &[], "cancelled"),
            (&["closed"], &[], &[], "closed"),
            (&[], &["refunded", "charged_back"], &[], "refunded"),
            (&["created"], &[], &[], "created"),
            (&[], &[], &["delivered", "returned"], "delivered"),
            (&[], &[], &["partly_shipped", "shipped", "undeliverable"], "shipped"),
            (&[], &["paid", "partly_refunded", "disputed", "overpaid"], &[], "paid"),
            (&[], &[], &[], "confirmed"),
        ];
        let fits = |words: &[&str], word: &str| words.is_empty() || words.contains(&word);
        let found = rows.iter().find(|(a, b, c, _)| fits(a, lifecycle) && fits(b, payment) && fits(c, fulfilment));
        found.map(|row| row.3).expect("the last row fits all")
    }

    #[test]
    fn every_combination_has_the_word_of_the_table() {
        let mut seen = 0;
        for lifecycle in Lifecycle::ALL {
            for payment in OrderPayment::ALL {
                for fulfilment in Fulfilment::ALL {
                    let shown = status(*lifecycle, *payment, *fulfilment).as_str();
                    let expected = tabled(lifecycle.as_str(), payment.as_str(), fulfilment.as_str());
                    assert_eq!(shown, expected, "{lifecycle:?} {payment:?} {fulfilment:?}");
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 4 * 10 * 6);
    }

    #[test]
    fn a_word_is_written_as_it_is_kept() {
        for word in OrderPayment::ALL {
            assert_eq!(serde_json::to_string(word).expect("JSON"), format!("\"{}\"", word.as_str()));
        }
        for word in OrderStatus::ALL {
            assert_eq!(serde_json::to_string(word).expect("JSON"), format!("\"{}\"", word.as_str()));
        }
    }
}
