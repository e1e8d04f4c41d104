//! Who may do what: the callers, the rule of each route, and how both meet. No database, no domain.
//!
//! A process says by [`guard::identify`] who calls. Each of its routes is registered with its [`Rule`] in
//! [`Routes`], which has no other door: a route without a rule does not compile. In which shop, [`shop::of`] decides.
//!
//! To add a permission: a line in [`schemas::permission`]. To add a kind of caller: a variant of [`Caller`], and what [`Rule::check`]
//! says of it.

pub mod bearer;
pub mod caller;
pub mod customer;
pub mod documents;
pub mod guard;
pub mod guest;
pub mod hosts;
pub mod key;
pub mod member;
pub mod origins;
pub mod rates;
pub mod routes;
pub mod rule;
pub mod scoped;
pub mod shop;
pub mod tokens;

pub use bearer::Bearer;
pub use caller::{Caller, Denied};
pub use customer::{Customer, KnownTokenKey};
pub use guard::Callers;
pub use guest::Guest;
pub use hosts::ShopDomain;
pub use key::{AdminKey, KnownKey};
pub use member::{Member, Power};
pub use rates::{CallerRates, Rates};
pub use routes::Routes;
pub use rule::Rule;
pub use schemas::permission::Permission;
