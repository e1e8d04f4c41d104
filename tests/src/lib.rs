//! The whole system from outside: stacks of real processes, and what tests need to drive them.

pub mod authority;
pub mod beside;
pub mod browser;
pub mod builders;
pub mod buying;
pub mod digest;
pub mod eventually;
pub mod kafka_node;
pub mod linearizability;
pub mod oidc_stand_in;
pub mod operator;
pub mod quiet;
pub mod replica;
pub mod scratch;
pub mod shop;
pub mod shopper;
pub mod smtp_stand_in;
pub mod stack;
pub use stripe_stand_in;
pub mod tls_front;
