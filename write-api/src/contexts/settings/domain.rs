//! What a shop decides: tax zones, shipping methods, locations, channels, and what holds for the whole shop. Each is a content
//! of a [`Definition`](crate::domain::definition::Definition).

mod channels;
mod locations;
mod policy;
mod shipping_methods;
mod shop_policy;
mod tax_zones;

use crate::domain::{Refusal, definition::Content};
use schemas::{
    Uuid,
    place::Area,
    problem::{Code, ProblemType},
};
use std::collections::{HashMap, HashSet};

/// A kind of setting.
pub trait Setting: Content {
    /// The most of it that a shop has.
    const MOST: usize;

    /// The areas that no other one of the kind may have.
    fn own_areas(&self) -> &[Area] {
        &[]
    }
}

/// What of a kind a shop has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// Those that are defined.
    pub standing: HashSet<Uuid>,
    /// Whose the areas in question are, by id and name.
    pub areas: HashMap<String, (Uuid, String)>,
}

/// Why something is not decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// As many as a shop may have.
    #[error("a shop has at most {most} {kind}; remove one first")]
    TooMany {
        /// Which kind.
        kind: &'static str,
        /// The most.
        most: usize,
    },
    /// Another one has the area.
    #[error("the tax zone `{owner}` has the area {area} already")]
    AreaTaken {
        /// Its place in the list.
        index: usize,
        /// The area.
        area: String,
        /// Who has it.
        owner: String,
    },
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::TooMany { .. } => Code::TooManySettings.into(),
            Self::AreaTaken { .. } => Code::TaxAreaTaken.into(),
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::TooMany { .. } => None,
            Self::AreaTaken { index, .. } => Some(format!("/areas/{index}")),
        }
    }
}

/// What is defined under an id fits beside what else there is of its kind.
///
/// # Errors
/// The rule that forbids it.
pub fn fits_beside<C: Setting>(id: Uuid, content: &C, others: &Others) -> Result<(), Rejection> {
    if !others.standing.contains(&id) && others.standing.len() >= C::MOST {
        return Err(Rejection::TooMany { kind: C::WORDS.kind, most: C::MOST });
    }
    for (index, area) in content.own_areas().iter().enumerate() {
        let area = area.to_string();
        if let Some((_, owner)) = others.areas.get(&area).filter(|(owner, _)| *owner != id) {
            return Err(Rejection::AreaTaken { index, area, owner: owner.clone() });
        }
    }
    Ok(())
}
