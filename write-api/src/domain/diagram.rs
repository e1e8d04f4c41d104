//! State machines as documents draw them, found by trying commands on the real aggregates. `./souk diagrams` writes them.

use super::Aggregate;
use schemas::events::Event;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::{self, Debug, Write},
};

/// States that one aggregate may have before its commands are taken for endless.
const MOST_STATES: usize = 20_000;

/// What leads from where to where. No name is what there is before the beginning and after the end.
#[derive(Debug)]
pub(crate) struct Diagram {
    title: &'static str,
    /// What a reader has to know besides.
    note: String,
    /// By the states they lead from and to.
    arrows: BTreeMap<(Option<String>, Option<String>), BTreeSet<String>>,
}

impl Diagram {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, note: String::new(), arrows: BTreeMap::new() }
    }

    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Something leads from one state to another, or leaves it as it is.
    pub(crate) fn leads(&mut self, from: Option<&str>, to: Option<&str>, by: &str) {
        let ends = (from.map(str::to_owned), to.map(str::to_owned));
        if ends != (None, None) {
            self.arrows.entry(ends).or_default().insert(by.to_owned());
        }
    }

    /// Whether these are all its states.
    pub(crate) fn has(&self, expected: &[&str]) -> bool {
        let ends = self.arrows.keys().flat_map(|(from, to)| [from, to]);
        let found: BTreeSet<&str> = ends.filter_map(Option::as_deref).collect();
        found == expected.iter().copied().collect()
    }

    /// States that nothing leads out of.
    fn last(&self) -> BTreeSet<&String> {
        let left: BTreeSet<_> = self.between().filter_map(|((from, _), _)| from.as_ref()).collect();
        self.arrows.keys().filter_map(|(_, to)| to.as_ref()).filter(|to| !left.contains(to)).collect()
    }

    fn between(&self) -> impl Iterator<Item = (&(Option<String>, Option<String>), &BTreeSet<String>)> {
        self.arrows.iter().filter(|((from, to), _)| from != to)
    }
}

impl fmt::Display for Diagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |state: &Option<String>| state.clone().unwrap_or_else(|| "[*]".to_owned());
        let listed = |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        writeln!(f, "### {}\n", self.title)?;
        if !self.note.is_empty() {
            writeln!(f, "{}\n", self.note)?;
        }
        writeln!(f, "```mermaid\nstateDiagram-v2")?;
        for ((from, to), by) in self.between() {
            writeln!(f, "    {} --> {}: {}", named(from), named(to), listed(by))?;
        }
        for state in self.last() {
            writeln!(f, "    {state} --> [*]")?;
        }
        writeln!(f, "```")?;
        let mut staying = String::new();
        for ((from, _), by) in self.arrows.iter().filter(|((from, to), _)| from == to) {
            writeln!(staying, "* {}: {}", named(from), listed(by))?;
        }
        if staying.is_empty() { Ok(()) } else { write!(f, "\nWhat happens in a state and leaves it:\n\n{staying}") }
    }
}

/// What a diagram of an aggregate is found by.
pub(crate) struct Exploration<A: Aggregate> {
    pub(crate) title: &'static str,
    /// What has happened before.
    pub(crate) given: Vec<A::Event>,
    /// What is tried in every state that is reached.
    pub(crate) commands: Vec<A::Command>,
    /// The name of a state, if it has one.
    pub(crate) name: fn(&A) -> Option<&'static str>,
    /// Events of the aggregate that have nothing to do with these states.
    pub(crate) without: &'static [&'static str],
}

impl<A: Aggregate + Debug> Exploration<A>
where
    A::Command: Clone,
{
    /// Tries every command in every state, from the first on, as long as new ones are reached.
    pub(crate) fn diagram(self) -> Diagram {
        let mut diagram = Diagram::new(self.title);
        let start = self.given.iter().fold(None, A::apply);
        let mut seen = BTreeSet::from([format!("{start:?}")]);
        let mut queue = VecDeque::from([start]);
        let mut told = BTreeSet::new();
        while let Some(state) = queue.pop_front() {
            for command in &self.commands {
                let mut after = state.clone();
                for event in A::decide(state.as_ref(), command.clone()).unwrap_or_default() {
                    let from = after.as_ref().and_then(self.name);
                    after = A::apply(after, &event);
                    diagram.leads(from, after.as_ref().and_then(self.name), word(event.event_type()));
                    told.insert(event.event_type());
                }
                if seen.insert(format!("{after:?}")) {
                    queue.push_back(after);
                }
            }
            assert!(seen.len() < MOST_STATES, "{}: the commands lead to ever new states", self.title);
        }
        let of_it = A::Event::CONTEXT.events().into_iter().map(|event| event.event_type);
        let missing: Vec<_> = of_it
            .filter(|event_type| event_type.split('.').nth(2) == Some(A::NAME) && !told.contains(event_type))
            .filter(|event_type| !self.without.contains(&word(event_type)))
            .collect();
        assert!(missing.is_empty(), "{}: no command of the diagram leads to {missing:?}", self.title);
        diagram
    }
}

/// What happened, without context, aggregate and version.
fn word(event_type: &str) -> &str {
    event_type.split('.').nth(3).unwrap_or(event_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_machine_is_drawn() {
        let mut diagram = Diagram::new("Lamp").with_note("A lamp.");
        diagram.leads(None, Some("off"), "made");
        diagram.leads(Some("off"), Some("on"), "switched");
        diagram.leads(Some("on"), Some("broken"), "fell");
        diagram.leads(Some("on"), Some("broken"), "burnt");
        diagram.leads(Some("off"), Some("off"), "cleaned");
        let expected = "### Lamp\n\nA lamp.\n\n```mermaid\nstateDiagram-v2\n    [*] --> off: made\n    off --> on: switched\n    \
            on --> broken: burnt, fell\n    broken --> [*]\n```\n\nWhat happens in a state and leaves it:\n\n* off: cleaned\n";
        assert_eq!(diagram.to_string(), expected);
        assert!(diagram.has(&["on", "off", "broken"]) && !diagram.has(&["on", "off"]));
    }
}
