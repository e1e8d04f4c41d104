//! Where a shop sells, and the rules of that.

use super::{
    Setting,
    policy::{MAX_TITLE, currencies_are_distinct},
};
use crate::domain::{
    definition::{Content, Words, events_of},
    validation::Findings,
};
use schemas::events::settings::{Channel, SettingKind};

impl Content for Channel {
    const WORDS: Words = Words {
        kind: SettingKind::Channel.as_str(),
        aggregate: SettingKind::Channel.aggregate(),
        define: "define_channel",
        remove: "remove_channel",
    };

    fn check(&self, findings: &mut Findings) {
        findings.line(|| "/title".to_owned(), &self.title, MAX_TITLE);
        if self.currencies.is_empty() {
            findings.add("/currencies", "a channel sells in at least one currency");
        }
        currencies_are_distinct(findings, "/currencies", "", self.currencies.iter().copied());
    }

    events_of!(SettingsEvent in settings: ChannelDefined, ChannelRemoved);
}

impl Setting for Channel {
    const MOST: usize = 50;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::Checked;
    use schemas::money::Currency;

    #[test]
    fn a_channel_has_some_currencies_each_once() {
        let pointers = |currencies: Vec<Currency>| -> Vec<String> {
            let channel = Channel { title: "Web".into(), currencies };
            Checked::parse(channel).err().unwrap_or_default().into_iter().map(|error| error.pointer).collect()
        };
        assert_eq!(pointers(vec![Currency::USD]), [""; 0]);
        assert_eq!(pointers(vec![]), ["/currencies"]);
        assert_eq!(pointers(vec![Currency::USD; 2]), ["/currencies/1"]);
    }
}
