//! The contract with yesterday: what was recorded once stays readable, and schemas change only in
//! ways that old payloads survive.

mod golden;
mod json_schema;
