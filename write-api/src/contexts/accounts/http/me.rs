//! What somebody keeps of themselves. It is read here and nowhere else: no read model has it.

use super::{Accepted, SignedIn, email, mailed, unkept};
use crate::{
    contexts::accounts::{
        commands::{
            email as emails,
            me::{self, Keep, Person},
            refused::Refused,
            sign_in,
        },
        domain::{PostalAddress, Profile},
    },
    http::{
        answer::{CommandAnswer, EXAMPLE_ID},
        extract::{BareCommand, Command, PathId},
        headers::{TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, Done, Rejection, command::CarriedOut},
};
use ::access::{Customer, Permission};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemas::{contexts::Context, token::Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All that is kept of somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(Me::example())))]
pub(in super::super) struct Me {
    /// The account's id.
    user_id: schemas::Uuid,
    /// Its version, also the `ETag`.
    version: u64,
    /// The e-mail address.
    email: String,
    /// Whether it is proved.
    email_verified: bool,
    /// What they tell of themselves.
    profile: Profile,
    /// Where parcels are sent to, the oldest first.
    addresses: Vec<KeptAddress>,
    /// Groups of customers that the shop has put them in.
    groups: Vec<String>,
    /// The slugs of the identity providers by which they sign in.
    identities: Vec<String>,
    /// Whether one-time codes are asked for besides the password.
    second_factor: SecondFactorState,
    /// The roles of somebody who works for the shop: `staff`, `owner`, `admin`, or such that the shop has defined.
    roles: Vec<String>,
    /// What they may do by these, such as `catalog.write`, in sessions that a one-time code was shown in.
    permissions: Vec<&'static str>,
}

/// One-time codes of an account, and of this session.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(in super::super) struct SecondFactorState {
    /// Whether whoever signs in is asked for one.
    enabled: bool,
    /// Whether one was shown in this session.
    proved: bool,
}

/// An address that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct KeptAddress {
    /// Its id.
    id: schemas::Uuid,
    /// Whether it is taken unless another is named.
    is_default: bool,
    /// The address.
    address: PostalAddress,
}

impl Me {
    /// As the OpenAPI document shows it.
    fn example() -> Self {
        let profile = Profile { name: Some("Ana Ruiz".to_owned()), phone: None };
        let (email, addresses) = ("ana@example.com".to_owned(), Vec::new());
        Self {
            user_id: EXAMPLE_ID,
            version: 2,
            email,
            email_verified: true,
            profile,
            addresses,
            groups: vec!["trade".to_owned()],
            identities: vec!["acme".to_owned()],
            second_factor: SecondFactorState { enabled: true, proved: true },
            roles: vec!["buyers".to_owned()],
            permissions: vec!["catalog.write"],
        }
    }

    fn of(customer: Customer, person: Person) -> Self {
        let kept = |(id, address, is_default)| KeptAddress { id, is_default, address };
        Self {
            user_id: customer.user,
            version: person.version,
            email: person.email,
            email_verified: person.is_verified,
            profile: person.profile,
            addresses: person.addresses.into_iter().map(kept).collect(),
            groups: person.groups,
            identities: person.identities,
            second_factor: SecondFactorState { enabled: person.has_second_factor, proved: customer.is_strong },
            roles: person.roles,
            permissions: person.permissions.into_iter().map(Permission::as_str).collect(),
        }
    }
}

/// Read one's own account
///
/// All that is kept of the person, in the clear; also what they get who ask for their data.
#[utoipa::path(
    get, path = "/v1/me", tag = "accounts", params(TenantHeaders),
    responses((status = 200, description = "The account", body = Me)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn read(
    State(app): State<App>,
    SignedIn { customer, .. }: SignedIn,
    command: BareCommand,
) -> Result<Response, ApiError> {
    let person = me::read(&app, &command.scope, customer.user).await?;
    let etag = HeaderValue::try_from(format!("\"{}\"", person.version));
    let mut response = unkept(Json(Me::of(customer, person)).into_response());
    response.headers_mut().extend(etag.ok().map(|etag| (header::ETAG, etag)));
    Ok(response)
}

pub(super) fn carried_out(done: Done) -> CarriedOut {
    CarriedOut { context: Context::Accounts, done, replayed: false }
}

/// Replace one's profile
#[utoipa::path(
    put, path = "/v1/me/profile", tag = "accounts", params(TenantHeaders, VersionHeader), request_body = Profile,
    responses((status = 200, description = "Replaced", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found"])))
)]
pub(in super::super) async fn update_profile(
    State(app): State<App>,
    SignedIn { customer, .. }: SignedIn,
    command: Command<Profile>,
) -> Result<CarriedOut, ApiError> {
    command.body.check().map_err(Rejection::invalid)?;
    let (expected, keep) = (command.expected.or_any(), Keep::Profile(command.body));
    Ok(carried_out(me::keep(&app, &command.scope, customer.user, expected, keep).await?))
}

/// Another address to be reached by.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct EmailInput {
    /// The password.
    password: String,
    /// The new e-mail address.
    email: String,
    /// The page of the shop that takes the code, as of `POST /v1/accounts`.
    return_to: Option<String>,
}

/// Ask for another e-mail address
///
/// It counts once the code that is sent to it has come back by `POST /v1/accounts/verify`.
#[utoipa::path(
    put, path = "/v1/me/email", tag = "accounts", params(TenantHeaders), request_body = EmailInput,
    responses((status = 202, description = "A mail is on its way to the new address", body = Accepted)),
    extensions(("x-problems" = json!(["validation_failed", "wrong_password", "too_many_attempts"])))
)]
pub(in super::super) async fn ask_email(
    State(app): State<App>,
    SignedIn { customer, address }: SignedIn,
    command: Command<EmailInput>,
) -> Result<Response, Refused> {
    let EmailInput { password, email: text, return_to } = command.body;
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    sign_in::prove(&app, &command.scope, &parts, customer.user, &password, address).await?;
    emails::ask(&app, &command.scope, customer, &email(&text)?, return_to.as_deref()).await?;
    Ok(mailed())
}

/// An address to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AddressInput {
    /// Whether it is taken unless another is named. The first one is in any case.
    #[serde(default)]
    is_default: bool,
    /// The address.
    address: PostalAddress,
}

impl AddressInput {
    fn checked(self, id: schemas::Uuid) -> Result<Keep, ApiError> {
        self.address.check().map_err(|errors| {
            let below = |mut error: schemas::problem::FieldError| {
                error.pointer.insert_str(0, "/address");
                error
            };
            Rejection::invalid(errors.into_iter().map(below).collect())
        })?;
        Ok(Keep::Address(id, self.address, self.is_default))
    }
}

/// An address was kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(AddressAnswer::of(EXAMPLE_ID, EXAMPLE_ID, 3))))]
pub(in super::super) struct AddressAnswer {
    /// The address's id.
    address_id: schemas::Uuid,
    /// The account's version.
    version: u64,
    /// The consistency token, for reads that must see this write.
    token: String,
}

impl AddressAnswer {
    fn of(address_id: schemas::Uuid, user: schemas::Uuid, version: u64) -> Self {
        Self { address_id, version, token: Token::of(Context::Accounts, user, version).to_string() }
    }
}

/// Add an address to send parcels to
#[utoipa::path(
    post, path = "/v1/me/addresses", tag = "accounts", params(TenantHeaders, VersionHeader), request_body = AddressInput,
    responses((status = 201, description = "Added", body = AddressAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found", "too_many_addresses"])))
)]
pub(in super::super) async fn add_address(
    State(app): State<App>,
    SignedIn { customer, .. }: SignedIn,
    command: Command<AddressInput>,
) -> Result<Response, ApiError> {
    let address_id = command.scope.clock.id();
    let keep = command.body.checked(address_id)?;
    let done = me::keep(&app, &command.scope, customer.user, command.expected.or_any(), keep).await?;
    Ok((StatusCode::CREATED, Json(AddressAnswer::of(address_id, done.id, done.version))).into_response())
}

/// Replace a postal address
#[utoipa::path(
    put, path = "/v1/me/addresses/{id}", tag = "accounts",
    params(("id" = schemas::Uuid, Path, description = "The address's id"), TenantHeaders, VersionHeader),
    request_body = AddressInput,
    responses((status = 200, description = "Replaced, or added", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found", "too_many_addresses"])))
)]
pub(in super::super) async fn save_address(
    State(app): State<App>,
    SignedIn { customer, .. }: SignedIn,
    PathId(id): PathId,
    command: Command<AddressInput>,
) -> Result<CarriedOut, ApiError> {
    let keep = command.body.checked(id)?;
    Ok(carried_out(me::keep(&app, &command.scope, customer.user, command.expected.or_any(), keep).await?))
}

/// Remove a postal address
#[utoipa::path(
    delete, path = "/v1/me/addresses/{id}", tag = "accounts",
    params(("id" = schemas::Uuid, Path, description = "The address's id"), TenantHeaders, VersionHeader),
    responses((status = 200, description = "Removed, or was not there", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn remove_address(
    State(app): State<App>,
    SignedIn { customer, .. }: SignedIn,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let (expected, keep) = (command.expected.or_any(), Keep::NoAddress(id));
    Ok(carried_out(me::keep(&app, &command.scope, customer.user, expected, keep).await?))
}
