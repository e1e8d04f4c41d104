//! The states of a product.

use super::products::{change, content, create};
use crate::{
    contexts::catalog::domain::product::{Facts, Product, ProductCommand, Status},
    domain::diagram::{Diagram, Exploration},
};
use schemas::{TimeDelta, Timestamp, events::catalog::Schedule};

pub(in crate::contexts) fn all() -> Vec<Diagram> {
    let (soon, later) = (Timestamp::UNIX_EPOCH + TimeDelta::hours(1), Timestamp::UNIX_EPOCH + TimeDelta::hours(2));
    let product = Exploration::<Product> {
        title: "Product",
        given: vec![],
        commands: vec![
            create(content("lamp", "Lamp"), Facts::default()),
            change(content("lamp", "Lamp")),
            change(content("lamp", "Red lamp")),
            ProductCommand::Publish,
            ProductCommand::Archive,
            ProductCommand::Schedule(Schedule { publish_at: Some(soon), archive_at: Some(later) }),
            ProductCommand::CarryOut(soon),
            ProductCommand::CarryOut(later),
            ProductCommand::Delete,
        ],
        name: |product| Some(product.status.as_str()),
        without: &[],
    };
    let product = product.diagram();
    assert!(product.has(&Status::ALL.map(Status::as_str)), "{product}");
    vec![product]
}
