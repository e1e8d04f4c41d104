//! The bounded contexts of souk: one table, and all that follows from it.
//!
//! To add a context: a line here, a `pub mod` in [`events`], and its events there. Names, wire codes,
//! topics, decoding, JSON Schemas, partition keys and AsyncAPI channels follow.

use crate::{
    events::{self, DecodeError, EncodeError, Event, EventDescription},
    topics::Topic,
    upcast,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Declares every context: name, wire code (one byte in consistency tokens, from 1, never used twice), event enum.
macro_rules! contexts {
    ($($variant:ident = $name:literal, $code:literal, $module:ident::$event:ident, $doc:literal;)+) => {
        /// A bounded context: one slice of write-api, one Postgres schema, one outbox, one topic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Context {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)+
        }

        impl Context {
            /// Every context that exists today, in the order of the table.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant,)+];

            /// How many there are.
            pub const COUNT: usize = [$(Self::$variant,)+].len();

            /// The name: also the Postgres schema and the segment of event types.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The name of the topic its events travel on, without prefix and epoch.
            pub(crate) const fn topic_name(self) -> &'static str {
                match self { $(Self::$variant => concat!("souk.", $name, ".v1"),)+ }
            }

            /// One byte for consistency tokens; never reused.
            #[must_use]
            pub const fn wire_code(self) -> u8 {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Its current events: type, JSON Schema and partition key of each.
            #[must_use]
            pub fn events(self) -> Vec<EventDescription> {
                match self { $(Self::$variant => events::$module::$event::descriptions(),)+ }
            }
        }

        /// An event of any context.
        #[derive(Debug, Clone, PartialEq)]
        pub enum DomainEvent {
            $(#[doc = concat!("Of the ", $name, " context.")] $variant(events::$module::$event),)+
        }

        $(impl From<events::$module::$event> for DomainEvent {
            fn from(event: events::$module::$event) -> Self {
                Self::$variant(event)
            }
        })+

        impl DomainEvent {
            /// Reads a payload of any version ever released: retired ones are brought up to date first.
            ///
            /// # Errors
            /// [`DecodeError`] if the type is unknown or the payload malformed.
            pub fn decode(context: Context, event_type: &str, data: &[u8]) -> Result<Self, DecodeError> {
                let (event_type, data) = upcast::upcast(event_type, data)?;
                Ok(match context {
                    $(Context::$variant => Self::$variant(events::$module::$event::from_json(&event_type, &data)?),)+
                })
            }

            /// The context it is of.
            #[must_use]
            pub const fn context(&self) -> Context {
                match self { $(Self::$variant(_) => Context::$variant,)+ }
            }

            /// The wire type, version included.
            #[must_use]
            pub const fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.event_type(),)+ }
            }

            /// The payload as JSON text.
            ///
            /// # Errors
            /// [`EncodeError`] if a value of the payload has no JSON form.
            pub fn to_json(&self) -> Result<String, EncodeError> {
                match self { $(Self::$variant(event) => event.to_json(),)+ }
            }

            /// The id in the Kafka key, beside the tenant's; see [`Event::key`].
            #[must_use]
            pub fn key(&self, aggregate: Uuid) -> Uuid {
                match self { $(Self::$variant(event) => event.key(aggregate),)+ }
            }
        }

        /// The event enums, for [`events`].
        pub(crate) mod enums {
            $(pub use crate::events::$module::$event;)+
        }

        const _: () = {
            $(assert!(
                matches!(<events::$module::$event as Event>::CONTEXT, Context::$variant),
                concat!("the events of ", $name, " say that they are of another context"),
            );)+
        };
    };
}

contexts! {
    Tenants = "tenants", 1, tenants::TenantsEvent, "Shops on this installation.";
    Catalog = "catalog", 2, catalog::CatalogEvent, "Products, variants, categories.";
    Pricing = "pricing", 3, pricing::PricingEvent, "Price sheets, one per variant.";
    Inventory = "inventory", 4, inventory::InventoryEvent, "Stock items, one per variant.";
    Merchandising = "merchandising", 5, merchandising::MerchandisingEvent, "What staff define to steer search.";
    Insights = "insights", 6, insights::InsightsEvent, "What shoppers searched for and did, as it was reported.";
    Access = "access", 7, access::AccessEvent, "Keys, by which programs say for whom they call.";
    Audit = "audit", 8, audit::AuditEvent, "What staff and administrators did.";
    Accounts = "accounts", 9, accounts::AccountsEvent, "Accounts of shoppers, and their sessions.";
    Settings = "settings", 10, settings::SettingsEvent, "What a shop decides of tax, shipping, places and deadlines.";
    Carts = "carts", 11, carts::CartsEvent, "Carts of customers and guests.";
    Promotions = "promotions", 12, promotions::PromotionsEvent, "Promotions, their codes, and how often they are used.";
    Checkout = "checkout", 13, checkout::CheckoutEvent, "Ways from a cart to an order.";
    Orders = "orders", 14, orders::OrdersEvent, "Orders, and what became of them.";
    Payments = "payments", 15, payments::PaymentsEvent, "Payments, refunds, and the ledger.";
}

const _: () = assert!(wire_codes_differ(&Context::ALL), "a wire code is used twice, or is 0");

const fn wire_codes_differ(contexts: &[Context]) -> bool {
    let mut seen = [false; 256];
    seen[0] = true;
    let mut index = 0;
    while index < contexts.len() {
        let code = contexts[index].wire_code() as usize;
        if seen[code] {
            return false;
        }
        seen[code] = true;
        index += 1;
    }
    true
}

impl Context {
    /// Its place in [`Context::ALL`], for tables with an entry for each.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The topic its events travel on.
    #[must_use]
    pub const fn topic(self) -> Topic {
        Topic::of_events(self.topic_name())
    }

    /// The context of a wire code, if it is known.
    #[must_use]
    pub fn from_wire_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.wire_code() == code)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of [`Context::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a context of souk")]
pub struct UnknownContext(pub String);

impl FromStr for Context {
    type Err = UnknownContext;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|c| c.name() == text).ok_or_else(|| UnknownContext(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn wire_codes_and_names_lead_back_to_the_context() {
        for context in Context::ALL {
            assert_eq!(Context::from_wire_code(context.wire_code()), Some(context));
            assert_eq!(context.name().parse(), Ok(context));
            assert_eq!(Context::ALL[context.index()], context);
            let json = serde_json::to_string(&context).expect("JSON");
            assert_eq!(json, format!("\"{context}\""));
        }
    }

    #[test]
    fn a_wire_code_used_twice_is_refused() {
        assert!(wire_codes_differ(&[Context::Tenants, Context::Catalog]));
        assert!(!wire_codes_differ(&[Context::Tenants, Context::Catalog, Context::Tenants]));
    }

    #[test]
    fn a_name_and_a_topic_are_used_once() {
        let names: BTreeSet<_> = Context::ALL.into_iter().map(Context::name).collect();
        let topics: BTreeSet<_> = Context::ALL.into_iter().map(|context| context.topic().name).collect();
        assert_eq!((names.len(), topics.len()), (Context::COUNT, Context::COUNT));
    }
}
