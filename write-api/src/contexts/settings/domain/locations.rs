//! Places where goods are kept, and the rules they keep.

use super::{
    Setting,
    policy::{MAX_TITLE, a_place_is_on_the_map},
};
use crate::domain::{
    definition::{Content, Words, events_of},
    validation::Findings,
};
use schemas::events::settings::{Location, SettingKind};

impl Content for Location {
    const WORDS: Words = Words {
        kind: SettingKind::Location.as_str(),
        aggregate: SettingKind::Location.aggregate(),
        define: "define_location",
        remove: "remove_location",
    };

    fn check(&self, findings: &mut Findings) {
        findings.line(|| "/title".to_owned(), &self.title, MAX_TITLE);
        a_place_is_on_the_map(findings, "/place", &self.place);
    }

    events_of!(SettingsEvent in settings: LocationDefined, LocationRemoved);
}

impl Setting for Location {
    const MOST: usize = 250;
}
