//! Beginning a checkout: the cart is priced, and both sides agree on the price before anything is held.

use super::{
    facts::Said,
    pricing::{self, Priced},
};
use crate::{
    contexts::{
        accounts::port::persons,
        carts::port as carts,
        checkout::{
            domain::{
                CheckoutCommand, Rejection as Refused,
                price::{self, Accepted},
            },
            port::act,
            table::{self, OfferedFor},
        },
    },
    domain::address::PostalAddress,
    pipeline::{App, Change, Done, Error, Rejection, Scope, identity, procedure::Procedure},
};
use ::access::key::digest_text;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use schemas::{
    TimeDelta, Uuid,
    buyer::{Buyer, BuyerKind},
    cart::Cart,
    contexts::Context,
    events::{checkout::CheckoutStarted, settings::PaymentMethod},
    problem::{FieldError, Problem, ProblemType},
    quote::Quote,
};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// How long a price holds that was offered.
const OFFERED_FOR: TimeDelta = TimeDelta::minutes(10);

/// What a shopper asks for, read and checked as far as it can be without looking anything up.
#[derive(Debug, Clone)]
pub(in super::super) struct Wanted {
    pub(in super::super) client_request_id: String,
    pub(in super::super) cart_id: Uuid,
    /// The version that the shopper saw.
    pub(in super::super) cart_version: Option<u64>,
    /// A guest's; whoever has an account has one there.
    pub(in super::super) email: Option<String>,
    pub(in super::super) shipping_address: Option<PostalAddress>,
    pub(in super::super) billing_address: Option<PostalAddress>,
    pub(in super::super) shipping_method: Option<String>,
    pub(in super::super) payment_method: PaymentMethod,
    pub(in super::super) accepted: Accepted,
}

/// A checkout that was begun.
#[derive(Debug)]
pub(in super::super) struct Begun {
    pub(in super::super) done: Done,
    /// By which whoever has no account sees it and its order; told once.
    pub(in super::super) access: Option<String>,
}

/// The checkout that a buyer calls so.
fn id_of(scope: &Scope, buyer: Buyer, client_request_id: &str) -> Uuid {
    identity::named(scope.tenant, &["checkout", &buyer.to_string(), client_request_id])
}

/// Begins a checkout; the same again is the same one.
pub(in super::super) async fn start(app: &App, scope: &Scope, buyer: Buyer, wanted: Wanted) -> Result<Begun, Error> {
    let id = id_of(scope, buyer, &wanted.client_request_id);
    let known = table::checkout(&mut *app.database.of_shop(scope.tenant).await?, scope.tenant, id).await?;
    if let Some((version, checkout)) = known {
        if checkout.cart_id != wanted.cart_id {
            return Err(Rejection::from(Refused::Started).into());
        }
        let done = Done { change: Change::Unchanged, id, version, variants: Vec::new() };
        return Ok(Begun { done, access: None });
    }
    let (cart_version, cart) = cart(app, scope, buyer, &wanted).await?;
    let person = person(app, scope, buyer, &wanted).await?;
    let said = Said {
        shipping: wanted.shipping_address.as_ref().map(PostalAddress::place),
        billing: wanted.billing_address.as_ref().map(PostalAddress::place),
        shipping_method: wanted.shipping_method.clone(),
        payment: wanted.payment_method,
        groups: person.groups.clone(),
    };
    let offered = OfferedFor { cart: wanted.cart_id, cart_version, besides: besides(&said, &person.key) };
    let priced = pricing::price(app, scope, &cart, &said, &person.key).await?;
    let priced = agree(app, scope, &wanted.accepted, &offered, priced).await?;
    let (access, access_digest) = match buyer.kind {
        BuyerKind::Customer => (None, None),
        BuyerKind::Guest => {
            let token = format!("souk_order_{}", BASE64_URL_SAFE_NO_PAD.encode(scope.clock.secret()));
            let known_by = digest_text(&token);
            (Some(token), Some(known_by))
        }
    };
    let begin = Begin {
        app,
        id,
        buyer,
        wanted: &wanted,
        cart_version,
        cart: &cart,
        person: &person,
        priced: &priced,
        access_digest,
    };
    let done = app.procedure(scope, &begin).await?;
    Ok(Begun { done, access })
}

/// The buyer's cart, if it can be ordered and is the one that they saw.
async fn cart(app: &App, scope: &Scope, buyer: Buyer, wanted: &Wanted) -> Result<(u64, Cart), Error> {
    let found = carts::find(&app.database, scope.tenant, wanted.cart_id).await?;
    let found = found.filter(|(_, cart)| cart.owner() == buyer);
    let (version, cart) = found.ok_or_else(|| Rejection::not_found("you have no such cart"))?;
    if let Some(checkout) = cart.checkout_id {
        return Err(taken(checkout).into());
    }
    if cart.ended.is_some() {
        return Err(Rejection::not_found("the cart has ended").into());
    }
    match wanted.cart_version {
        Some(seen) if seen != version => Err(changed(seen, version).into()),
        Some(_) | None => Ok((version, cart)),
    }
}

fn taken(checkout: Uuid) -> Rejection {
    let problem = ProblemType::conflict("cart_in_checkout", "Another checkout has the cart");
    Rejection::of(
        Problem::new(problem).detail(format!("the checkout {checkout} has it; go on with that one, or abort it")),
    )
}

fn changed(seen: u64, version: u64) -> Rejection {
    let problem = ProblemType::conflict("cart_changed", "The cart was changed meanwhile");
    let detail = format!("its version is {version}, not {seen}; look at it again");
    Rejection::of(Problem::new(problem).detail(detail.clone()).errors(vec![FieldError::new("/cart_version", detail)]))
}

/// Whoever buys, as far as it counts for the price and the order.
struct Person {
    email: String,
    /// By which uses of coupons are counted.
    key: String,
    groups: Option<BTreeSet<String>>,
}

async fn person(app: &App, scope: &Scope, buyer: Buyer, wanted: &Wanted) -> Result<Person, Error> {
    let given = wanted.email.as_deref().map(persons::email).transpose();
    let given = given.map_err(|reason| Rejection::invalid_at("/email", reason))?;
    match buyer.kind {
        BuyerKind::Customer => {
            let mut transaction = app.database.of_shop(scope.tenant).await?;
            let known = persons::person(&app.accounts, &mut transaction, scope, buyer.id).await?;
            let email = given.unwrap_or(known.email);
            Ok(Person { email, key: buyer.id.to_string(), groups: Some(known.groups) })
        }
        BuyerKind::Guest => {
            let email = given.ok_or_else(|| Rejection::invalid_at("/email", "a guest's order needs an address"))?;
            let key = persons::email_digest(&app.accounts, &app.database, scope.tenant, &email).await?;
            Ok(Person { email, key, groups: None })
        }
    }
}

/// What a price was offered for besides the cart: a digest, since places say where somebody lives.
fn besides(said: &Said, key: &str) -> String {
    let groups: Vec<&String> = said.groups.iter().flatten().collect();
    let text = json!([said.shipping, said.billing, said.shipping_method, said.payment, groups, key]).to_string();
    digest_text(&text)
}

/// Takes the price that the shopper has agreed on: the present one, a lower one, or one that was offered some minutes ago. Else
/// the present one is offered.
async fn agree(
    app: &App,
    scope: &Scope,
    accepted: &Accepted,
    offered: &OfferedFor,
    priced: Priced,
) -> Result<Priced, Error> {
    if price::is_agreed(accepted, &priced.quote) {
        return Ok(priced);
    }
    let mut transaction = app.database.of_shop(scope.tenant).await?;
    let before = table::offer(&mut transaction, scope.tenant, offered, &accepted.digest, scope.now).await?;
    if let Some(quote) = before {
        return Ok(Priced { quote, ..priced });
    }
    let seen = table::offered_before(&mut transaction, scope.tenant, offered.cart, &accepted.digest).await?;
    table::keep_offer(&mut transaction, scope.tenant, offered, &priced.quote, scope.now + OFFERED_FOR).await?;
    transaction.commit().await?;
    Err(price_changed(accepted, seen.as_ref(), &priced.quote).into())
}

/// The price is higher than the shopper has agreed on: both totals, why, and what to accept.
fn price_changed(accepted: &Accepted, seen: Option<&Quote>, quote: &Quote) -> Rejection {
    let (total, digest, currency) = (quote.totals.total, &quote.digest, quote.currency);
    let problem = ProblemType::conflict("price_changed", "It costs more than was accepted");
    let detail = format!(
        "it costs {total} minor units of {currency}, not {}; for {} minutes this is taken as `accepted`",
        accepted.total,
        OFFERED_FOR.num_minutes()
    );
    let mut errors = vec![
        FieldError::new("/accepted/total", total.to_string()),
        FieldError::new("/accepted/digest", digest.clone()),
    ];
    let why = price::changes(seen, quote).into_iter();
    errors.extend(why.map(|change| FieldError::new(format!("/lines/{}", change.name), change.words)));
    Rejection::of(Problem::new(problem).detail(detail).errors(errors))
}

/// The transaction that begins it.
struct Begin<'a> {
    app: &'a App,
    id: Uuid,
    buyer: Buyer,
    wanted: &'a Wanted,
    cart_version: u64,
    cart: &'a Cart,
    person: &'a Person,
    priced: &'a Priced,
    access_digest: Option<String>,
}

impl Procedure for Begin<'_> {
    const CONTEXT: Context = Context::Checkout;
    type Output = Done;

    fn name(&self) -> &'static str {
        "start_checkout"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let open = table::open_of_cart(&mut *conn, scope.tenant, self.wanted.cart_id).await?;
        if let Some(other) = open.filter(|other| *other != self.id) {
            return Err(taken(other).into());
        }
        let seal = persons::seal_of(&self.app.accounts, &mut *conn, scope.tenant, self.buyer).await?;
        let address =
            |address: &Option<PostalAddress>| address.as_ref().map(|address| seal.seal("address", address)).transpose();
        let Wanted { client_request_id, shipping_address, billing_address, .. } = self.wanted;
        let place = shipping_address.as_ref().map(PostalAddress::place).or_else(|| self.cart.place.clone());
        let started = CheckoutStarted {
            client_request_id: client_request_id.clone(),
            buyer: self.buyer,
            customer_key: self.person.key.clone(),
            cart_id: self.wanted.cart_id,
            cart_version: self.cart_version,
            channel: self.cart.channel.clone(),
            email: seal.seal("email", &self.person.email)?,
            shipping_address: address(shipping_address)?,
            billing_address: address(billing_address)?,
            place,
            payment_method: self.wanted.payment_method,
            access_digest: self.access_digest.clone(),
            quote: self.priced.quote.clone(),
            policy: self.priced.policy.clone(),
        };
        let done = act::decide(conn, scope, self.id, CheckoutCommand::Start(Box::new(started))).await?;
        Ok((done.change, done))
    }
}
