//! Promotions, the codes of each, and its uses by checkouts.

pub(crate) mod code;
pub(crate) mod code_list;
pub(crate) mod content;
pub(crate) mod counting;
pub(crate) mod promotion;
pub(crate) mod usage;

pub(crate) use code::{Code, Recipe};
pub(crate) use code_list::{CodeList, CodeListCommand};
pub(crate) use content::Checked;
pub(crate) use promotion::{Promotion, PromotionCommand};
pub(crate) use usage::{CouponUsage, Stage, UsageCommand};
