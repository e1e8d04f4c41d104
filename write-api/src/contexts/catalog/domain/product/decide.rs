//! What a product command leads to.

use super::{Product, ProductCommand, Rejection, Status, policy};
use crate::domain::Aggregate;
use schemas::events::{
    CatalogEvent,
    catalog::{ProductChanged, ProductCreated, ProductMoved},
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
