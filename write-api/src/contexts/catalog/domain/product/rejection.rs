//! Why a product stays as it is.

use crate::domain::{Refusal, validation::pointer_token};
use schemas::{
    ids::ProductId,
    problem::{Code, ProblemType},
};

/// A rule of the catalog forbids the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such product.
    #[error("there is no such product")]
    Missing,
    /// A product of that identity is there already.
    #[error("the product exists already, with the id {0}")]
    Exists(ProductId),
    /// Another product has the slug.
    #[error("the slug `{slug}` belongs to the product {owner}")]
    SlugTaken {
        /// The slug.
        slug: String,
        /// Whose it is.
        owner: ProductId,
    },
    /// Another product has the external id.
    #[error("the external id `{external_id}` belongs to the product {owner}")]
    ExternalIdTaken {
        /// The external id.
        external_id: String,
        /// Whose it is.
        owner: ProductId,
    },
    /// A variant of another product has the SKU.
    #[error("the SKU `{sku}` belongs to the product {owner}")]
    SkuTaken {
        /// Place in the list of variants, from 0.
        index: usize,
        /// The SKU.
        sku: String,
        /// Whose it is.
        owner: ProductId,
    },
    /// A variant was given an id that is none of this product's.
    #[error("this product has no variant of that id; leave the id out and it is matched by SKU or gets one")]
    UnknownVariant {
        /// Place in the list of variants, from 0.
        index: usize,
    },
    /// A category is not there.
    #[error("there is no such category")]
    UnknownCategory {
        /// Place in the list of categories, from 0.
        index: usize,
    },
    /// The shop would have more attribute names than it may.
    #[error(
        "`{name}` is one of {new} attribute names that are new in this shop, which has {used} of at most {most}; \
         name what is the same the same, or put it into the description"
    )]
    TooManyAttributes {
        /// The first that is new.
        name: String,
        /// How many are new.
        new: usize,
        /// How many the shop has.
        used: usize,
        /// How many it may have.
        most: usize,
    },
    /// The shop would have more products than it may.
    #[error("the quota `products` of the shop is {most}, and it has {used}; delete some, or have the quota raised")]
    TooManyProducts {
        /// How many the shop has.
        used: u64,
        /// How many it may have.
        most: u64,
    },
    /// A draft can't be archived.
    #[error("a draft can't be archived, since shoppers never saw it; publish or delete it")]
    NeverPublished,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        let code = match self {
            Self::Missing => Code::NotFound,
            Self::Exists(_) | Self::ExternalIdTaken { .. } => Code::ExternalIdTaken,
            Self::SlugTaken { .. } => Code::SlugTaken,
            Self::SkuTaken { .. } => Code::SkuTaken,
            Self::UnknownVariant { .. } | Self::UnknownCategory { .. } => Code::ValidationFailed,
            Self::TooManyAttributes { .. } => Code::TooManyAttributes,
            Self::TooManyProducts { .. } => Code::QuotaExceeded,
            Self::NeverPublished => Code::StatusConflict,
        };
        code.into()
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::Missing | Self::TooManyProducts { .. } | Self::NeverPublished => None,
            Self::Exists(_) | Self::ExternalIdTaken { .. } => Some("/external_id".to_owned()),
            Self::SlugTaken { .. } => Some("/slug".to_owned()),
            Self::SkuTaken { index, .. } => Some(format!("/variants/{index}/sku")),
            Self::UnknownVariant { index } => Some(format!("/variants/{index}/id")),
            Self::TooManyAttributes { name, .. } => Some(format!("/attributes/{}", pointer_token(name))),
            Self::UnknownCategory { index } => Some(format!("/category_ids/{index}")),
        }
    }
}
