//! All kinds of definitions stand in one table.

use crate::pipeline::definition::Kept;
use schemas::events::merchandising::{Experiment, FacetDisplay, Rule, SynonymSet};

impl Kept for SynonymSet {}
impl Kept for Rule {}
impl Kept for FacetDisplay {}
impl Kept for Experiment {}
