//! The provider of a payment, with what the shop has agreed with it.

use super::super::{domain::provider_account::Secrets, table::accounts};
use crate::{
    pipeline::{App, Error, Rejection, Scope},
    providers::{Provider, cash::Cash, stripe::Stripe, transfer::Transfers},
};
use schemas::{
    events::settings::PaymentMethod,
    ids::TenantId,
    problem::{Problem, ProblemType},
};

/// What secrets of providers are sealed for.
pub(in super::super) const SECRETS: &str = "payment provider";
/// What the provider of cards is called.
pub(in super::super) const STRIPE: &str = "stripe";

/// Who takes the money of a method, by the shop's name for it.
pub(super) const fn account_of(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Card => STRIPE,
        PaymentMethod::Transfer => "main",
        PaymentMethod::CashOnDelivery => "cash",
    }
}

/// The provider of a method of payment.
pub(in super::super) async fn of_method(
    app: &App,
    scope: &Scope,
    method: PaymentMethod,
) -> Result<Box<dyn Provider>, Error> {
    Ok(match method {
        PaymentMethod::Card => Box::new(stripe(app, scope.tenant).await?),
        PaymentMethod::Transfer => Box::new(Transfers),
        PaymentMethod::CashOnDelivery => Box::new(Cash),
    })
}

/// The shop's account at Stripe.
pub(in super::super) async fn stripe(app: &App, tenant: TenantId) -> Result<Stripe, Error> {
    let found = accounts::of_name(&mut *app.database.of_shop(tenant).await?, tenant, STRIPE).await?;
    let account = found.ok_or_else(|| {
        let kind = ProblemType::conflict("payment_method_unavailable", "The shop does not take this method of payment");
        Rejection::of(Problem::new(kind).detail("the shop has agreed with no provider of cards"))
    })?;
    with_secrets(app, tenant, &account.sealed).await
}

/// An account at Stripe, by its secrets as they are kept.
pub(in super::super) async fn with_secrets(app: &App, tenant: TenantId, sealed: &str) -> Result<Stripe, Error> {
    let secrets: Secrets = app.open(tenant, SECRETS, sealed).await?;
    Ok(app.payments.stripe(secrets))
}
