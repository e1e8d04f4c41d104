//! What a shop may do to its neighbours: each the worst of its kind that is allowed.

mod attributes;
mod bodies;
mod import;
mod largest;
mod prices;
mod tokens;
pub(super) mod tree;

use super::{Args, neighbour::Neighbour};
use crate::BenchError;
use clap::ValueEnum;
use serde::Serialize;
use std::time::Instant;
use tokio::task::JoinSet;

/// A kind of hostile load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// The root category of a large tree, renamed again and again
    Tree,
    /// Prices that all begin at the same moment
    Prices,
    /// Searches that wait for tokens of writes that never were
    Tokens,
    /// Bulk writes whose bodies stall
    Bodies,
    /// An ordinary import
    Import,
    // After those that fill the shop with ordinary products, whose names it would not take any more.
    /// Products with 500 attribute names each that nobody used before
    Attributes,
    // The last, since its words stay in the index.
    /// Products as large as is accepted, over several connections
    Largest,
}

impl Load {
    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Largest => "largest",
            Self::Attributes => "attributes",
            Self::Tree => "tree",
            Self::Prices => "prices",
            Self::Tokens => "tokens",
            Self::Bodies => "bodies",
            Self::Import => "import",
        }
    }

    /// Writes what the load needs; gives the moment at which it begins, if it can't be begun at will.
    pub(super) async fn prepare(self, shop: &Neighbour, args: &Args) -> Result<Option<Instant>, BenchError> {
        match self {
            Self::Tree => tree::prepare(shop, args.products).await.map(|()| None),
            Self::Prices => prices::prepare(shop, args.due).await.map(Some),
            Self::Largest | Self::Attributes | Self::Tokens | Self::Bodies | Self::Import => Ok(None),
        }
    }

    /// Begins; it ends with the tasks.
    pub(super) fn start(self, shop: &Neighbour, args: &Args, tasks: &mut JoinSet<()>) {
        match self {
            Self::Largest => largest::start(shop, args.large, tasks),
            Self::Attributes => attributes::start(shop, args.attributes, tasks),
            Self::Tree => tree::start(shop, tasks),
            // They begin by themselves.
            Self::Prices => {}
            Self::Tokens => tokens::start(shop, tasks),
            Self::Bodies => bodies::start(shop, tasks),
            Self::Import => import::start(shop, args.import, tasks),
        }
    }
}
