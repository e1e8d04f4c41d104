//! What shoppers send.

use super::super::{commands::start::Wanted, domain::price::Accepted};
use crate::{
    domain::{address::PostalAddress, validation::Findings},
    pipeline::Rejection,
};
use schemas::{Uuid, events::settings::PaymentMethod, problem::FieldError};
use serde::Deserialize;
use utoipa::ToSchema;

/// A checkout to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct StartInput {
    /// Your own id of it, 1 to 100 characters: the same again is the same checkout.
    client_request_id: String,
    /// The cart.
    cart_id: Uuid,
    /// The version of the cart that was seen; whichever it is, if absent.
    cart_version: Option<u64>,
    /// Where messages go to; needed by guests, for others that of the account, if absent.
    email: Option<String>,
    /// Where the goods go.
    shipping_address: Option<PostalAddress>,
    /// Where the invoice goes, if that is another place.
    billing_address: Option<PostalAddress>,
    /// The name of the way in which the goods go; that of the cart, if absent.
    shipping_method: Option<String>,
    /// How it is paid.
    payment_method: PaymentMethod,
    /// The price that was seen.
    accepted: Accepted,
}

impl StartInput {
    /// Checks it as far as it can be without looking anything up.
    pub(super) fn read(self) -> Result<Wanted, Rejection> {
        let mut findings = Findings::default();
        findings.line(|| "/client_request_id".to_owned(), &self.client_request_id, 100);
        if let Some(method) = &self.shipping_method {
            findings.line(|| "/shipping_method".to_owned(), method, 64);
        }
        if self.accepted.total < 0 {
            findings.add("/accepted/total", "0 or more minor units are expected");
        }
        if self.accepted.digest.len() > 64 || !self.accepted.digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            findings.add("/accepted/digest", "the digest of a quote is expected, in hexadecimal digits");
        }
        let mut errors = findings.done().err().unwrap_or_default();
        errors.extend(wrong("/shipping_address", self.shipping_address.as_ref()));
        errors.extend(wrong("/billing_address", self.billing_address.as_ref()));
        if !errors.is_empty() {
            return Err(Rejection::invalid(errors));
        }
        Ok(Wanted {
            client_request_id: self.client_request_id,
            cart_id: self.cart_id,
            cart_version: self.cart_version,
            email: self.email,
            shipping_address: self.shipping_address,
            billing_address: self.billing_address,
            shipping_method: self.shipping_method,
            payment_method: self.payment_method,
            accepted: self.accepted,
        })
    }
}

/// What of an address is not allowed.
fn wrong(pointer: &str, address: Option<&PostalAddress>) -> Vec<FieldError> {
    let found = address.and_then(|address| address.check().err()).unwrap_or_default();
    let below = |error: FieldError| FieldError { pointer: format!("{pointer}{}", error.pointer), ..error };
    found.into_iter().map(below).collect()
}

/// How it is paid from here on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct PayInput {
    /// One that the shop takes.
    pub(super) payment_method: PaymentMethod,
}
