//! What a command to a definition leads to.

use super::{Content, Definition, DefinitionCommand, Rejection};
use crate::domain::Aggregate;
use schemas::events::MerchandisingEvent;

impl<C: Content> Aggregate for Definition<C> {
    const NAME: &'static str = C::KIND.aggregate();
    type Command = DefinitionCommand<C>;
    type Event = MerchandisingEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: DefinitionCommand<C>) -> Result<Vec<MerchandisingEvent>, Rejection> {
        let standing = state.filter(|definition| definition.content.is_some());
        match command {
            DefinitionCommand::Define { content, .. }
                if standing.is_some_and(|definition| definition.content.as_ref() == Some(content.content())) =>
            {
                Ok(vec![])
            }
            DefinitionCommand::Define { name, content } => {
                Ok(vec![C::event(name.as_str().to_owned(), Some(content.into_content()))])
            }
            DefinitionCommand::Remove => {
                let definition = standing.ok_or(Rejection::Missing)?;
                Ok(vec![C::event(definition.name.clone(), None)])
            }
        }
    }

    fn apply(state: Option<Self>, event: &MerchandisingEvent) -> Option<Self> {
        match C::of(event) {
            Some((name, content)) => Some(Self { name: name.to_owned(), content: content.cloned() }),
            None => state,
        }
    }

    fn is_removed(&self) -> bool {
        self.content.is_none()
    }
}
