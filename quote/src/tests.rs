//! The function as its callers see it: the worked example, traps that other shops fell into, and what holds for any cart.

mod effects;
mod elsewhere;
mod given;
mod groups;
mod properties;
mod stacking;
mod sums;
mod traps;
mod unusual;
mod worked_example;
