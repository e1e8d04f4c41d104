//! What a product command leads to.

use super::{Product, ProductCommand, Rejection, Status, policy};
use crate::domain::Aggregate;
use schemas::{
    Timestamp,
    events::{
        CatalogEvent,
        catalog::{ProductChanged, ProductCreated, ProductMoved, ProductScheduled, Schedule},
    },
};

impl Aggregate for Product {
    const NAME: &'static str = "product";
    type Command = ProductCommand;
    type Event = CatalogEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: ProductCommand) -> Result<Vec<CatalogEvent>, Rejection> {
        match (state, command) {
            (None, ProductCommand::Create { id, content, facts }) => {
                let content = content.with_slug(id);
                policy::names_are_free(id, &content, &facts)?;
                policy::categories_exist(&content, &facts)?;
                policy::attribute_names_are_few(&facts)?;
                if let Some(index) = content.stranger(&[]) {
                    return Err(Rejection::UnknownVariant { index });
                }
                Ok(vec![CatalogEvent::ProductCreated(ProductCreated { product_id: id, content: content.first() })])
            }
            (Some(product), ProductCommand::Create { .. }) => Err(Rejection::Exists(product.id)),
            (None, _) => Err(Rejection::Missing),
            (Some(product), ProductCommand::Change { content, facts }) => {
                policy::names_are_free(product.id, &content, &facts)?;
                policy::categories_exist(&content, &facts)?;
                policy::attribute_names_are_few(&facts)?;
                if let Some(index) = content.stranger(&product.content.variants) {
                    return Err(Rejection::UnknownVariant { index });
                }
                let content = content.after(&product.content);
                if content == product.content {
                    return Ok(vec![]);
                }
                Ok(vec![CatalogEvent::ProductChanged(ProductChanged { product_id: product.id, content })])
            }
            (Some(product), ProductCommand::Publish) => {
                Ok(moved(product, product.status.publish(), CatalogEvent::ProductPublished))
            }
            (Some(product), ProductCommand::Archive) => {
                Ok(moved(product, product.status.archive()?, CatalogEvent::ProductArchived))
            }
            (Some(product), ProductCommand::Schedule(schedule)) if product.schedule == schedule => Ok(vec![]),
            (Some(product), ProductCommand::Schedule(schedule)) => Ok(vec![scheduled(product, schedule)]),
            (Some(product), ProductCommand::CarryOut(now)) => Ok(due(product, now)),
            (Some(product), ProductCommand::Delete) => {
                Ok(vec![CatalogEvent::ProductDeleted(ProductMoved { product_id: product.id })])
            }
        }
    }

    fn apply(state: Option<Self>, event: &CatalogEvent) -> Option<Self> {
        Self::after(state, event)
    }
}

fn moved(product: &Product, to: Status, event: fn(ProductMoved) -> CatalogEvent) -> Vec<CatalogEvent> {
    if product.status == to { vec![] } else { vec![event(ProductMoved { product_id: product.id })] }
}

fn scheduled(product: &Product, schedule: Schedule) -> CatalogEvent {
    CatalogEvent::ProductScheduled(ProductScheduled { product_id: product.id, schedule })
}

/// What is due by then: where publishing and archiving both are, the whole span was missed and nobody sees it any more.
fn due(product: &Product, now: Timestamp) -> Vec<CatalogEvent> {
    let schedule = product.schedule;
    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let mut events = match (is_due(schedule.publish_at), is_due(schedule.archive_at), product.status) {
        (false, false, _) => return vec![],
        (_, true, Status::Published) => moved(product, Status::Archived, CatalogEvent::ProductArchived),
        (true, false, _) => moved(product, product.status.publish(), CatalogEvent::ProductPublished),
        (_, true, Status::Draft | Status::Archived) => vec![],
    };
    events.push(scheduled(product, schedule.after(now)));
    events
}
