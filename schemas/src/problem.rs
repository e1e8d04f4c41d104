//! RFC 9457 problem details and the stable codes souk puts in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// What went wrong, as a word a program can match on. A code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every code, for the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status it is sent with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The same short sentence on each occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

codes! {
    /// The body, a header or a parameter could not be read.
    InvalidRequest = "invalid_request", 400, "The request could not be understood";
    /// A field was read but its value is not allowed.
    ValidationFailed = "validation_failed", 422, "A value is not allowed";
    /// No tenant was named, or not one way only.
    TenantRequired = "tenant_required", 400, "Name the tenant";
    /// The address and a header name different tenants.
    TenantConflict = "tenant_conflict", 400, "Name one tenant";
    /// The tenant named does not exist.
    TenantNotFound = "tenant_not_found", 404, "There is no such tenant";
    /// The route needs a key, and none was sent that is known.
    Unauthorized = "unauthorized", 401, "Say who you are";
    /// The key that was sent is not for this.
    Forbidden = "forbidden", 403, "The key is not for this";
    /// No account has this address and this password; which of both is wrong is not told.
    SignInFailed = "sign_in_failed", 401, "The address or the password is wrong";
    /// The session has ended, or the refresh token is none.
    SessionEnded = "session_ended", 401, "The session has ended; sign in again";
    /// The password is right, and the account asks for a one-time code besides.
    SecondFactorRequired = "second_factor_required", 401, "A one-time code is needed, too";
    /// The one-time code is not the one of now, or was used before.
    SecondFactorWrong = "second_factor_wrong", 401, "The one-time code is wrong";
    /// There is a second factor already, or none.
    SecondFactorConflict = "second_factor_conflict", 409, "The second factor is not in that state";
    /// As many roles as a shop may define.
    TooManyRoles = "too_many_roles", 409, "There are too many roles";
    /// As many promotions that have not ended as a shop may have.
    TooManyPromotions = "too_many_promotions", 409, "There are too many promotions";
    /// The promotion has ended.
    PromotionEnded = "promotion_ended", 409, "The promotion has ended";
    /// The promotion counts without a code, so that it has none.
    PromotionNeedsNoCode = "promotion_needs_no_code", 409, "The promotion needs no code";
    /// The code is one of another promotion, or was disabled.
    CodeTaken = "code_taken", 409, "The code is taken";
    /// More codes than a promotion may have, or than can be told apart.
    TooManyCodes = "too_many_codes", 409, "There are too many codes";
    /// No promotion of the shop has the code.
    CouponUnknown = "coupon_unknown", 409, "There is no such code";
    /// The promotion counts later.
    CouponNotYet = "coupon_not_yet", 409, "The promotion has not begun";
    /// The promotion counts no longer.
    CouponEnded = "coupon_ended", 409, "The promotion has ended";
    /// Staff have disabled the code.
    CouponDisabled = "coupon_disabled", 409, "The code is disabled";
    /// Promotion, code or customer has been used as often as may be, counting what is reserved.
    CouponExhausted = "coupon_exhausted", 409, "It was used as often as may be";
    /// Another checkout of the customer has the promotion for a first order.
    FirstOrderTaken = "first_order_taken", 409, "Another order of the customer is the first";
    /// The use was released or consumed before.
    CouponSettled = "coupon_settled", 409, "The use was settled before";
    /// The password that was sent beside a session is not the account's.
    WrongPassword = "wrong_password", 403, "The password is wrong";
    /// The account's e-mail address is not proved yet.
    EmailNotVerified = "email_not_verified", 403, "The address is not proved yet";
    /// Too many passwords from one place were wrong; `Retry-After` says when the next may come.
    TooManyAttempts = "too_many_attempts", 429, "Too many attempts have failed";
    /// As many postal addresses as an account may have.
    TooManyAddresses = "too_many_addresses", 409, "There are too many addresses";
    /// What an identity provider says of somebody is not believed: its signature, time, audience or nonce is wrong.
    IdentityRefused = "identity_refused", 401, "What the provider says is not believed";
    /// The address that the provider has proved has an account here, which is to be linked by whoever has its password.
    AccountExists = "account_exists", 409, "The address has an account";
    /// The identity belongs to another account.
    IdentityTaken = "identity_taken", 409, "The identity belongs to another account";
    /// Without it, nobody could sign in to the account any more.
    OnlyWayIn = "only_way_in", 409, "It is the only way into the account";
    /// As many identity providers as a shop may have.
    TooManyProviders = "too_many_providers", 409, "There are too many identity providers";
    /// As many settings of a kind as a shop may have.
    TooManySettings = "too_many_settings", 409, "There are too many settings of this kind";
    /// Another tax zone has the area already.
    TaxAreaTaken = "tax_area_taken", 409, "Another tax zone has this area";
    /// An identity provider does not answer, or not as the standard has it.
    ProviderUnavailable = "provider_unavailable", 502, "The identity provider does not answer as it should";
    /// An administrator has suspended the tenant.
    TenantSuspended = "tenant_suspended", 403, "The tenant is suspended";
    /// More requests a second than a tenant may make.
    TooManyRequests = "too_many_requests", 429, "Too many requests; try again in a moment";
    /// The tenant has as much as its quota allows.
    QuotaExceeded = "quota_exceeded", 403, "The tenant has as much as it may have";
    /// Nothing with that id, slug or SKU in this tenant.
    NotFound = "not_found", 404, "There is nothing here";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405, "The method is not offered here";
    /// `If-Match` names a version that is not the current one, or somebody else was faster.
    VersionConflict = "version_conflict", 412, "The version is not the current one";
    /// A command that changes something came without `If-Match`.
    VersionRequired = "version_required", 428, "Say which version you saw";
    /// The slug is taken in this tenant.
    SlugTaken = "slug_taken", 409, "The slug is taken";
    /// The SKU is taken in this tenant.
    SkuTaken = "sku_taken", 409, "The SKU is taken";
    /// The external id is taken in this tenant.
    ExternalIdTaken = "external_id_taken", 409, "The external id is taken";
    /// More attribute names than a shop may have.
    TooManyAttributes = "too_many_attributes", 409, "The shop has too many attribute names";
    /// The status does not allow the command.
    StatusConflict = "status_conflict", 409, "The status does not allow this";
    /// Stock would fall below zero.
    InsufficientStock = "insufficient_stock", 409, "There is not enough stock";
    /// A checkout holds the cart.
    CartLocked = "cart_locked", 409, "A checkout holds the cart";
    /// The cart was ordered or has ended.
    CartClosed = "cart_closed", 409, "The cart has ended";
    /// As much as a cart holds.
    CartFull = "cart_full", 409, "The cart holds no more";
    /// There is nothing to order.
    CartEmpty = "cart_empty", 409, "The cart is empty";
    /// Two carts in different currencies don't become one.
    CartCurrency = "cart_currency", 409, "The carts are in different currencies";
    /// The checkout does not hold the cart.
    CartNotLocked = "cart_not_locked", 409, "The checkout does not hold the cart";
    /// The time of a reservation is over.
    ReservationExpired = "reservation_expired", 409, "The time of the reservation is over";
    /// A reservation was released or dispatched.
    ReservationEnded = "reservation_ended", 409, "The reservation has ended";
    /// The id of a reservation was used for something else.
    ReservationExists = "reservation_exists", 409, "The reservation exists with something else in it";
    /// A category with children or below itself.
    CategoryTree = "category_tree", 409, "The category tree does not allow this";
    /// The idempotency key was used with another request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The idempotency key belongs to another request";
    /// A request with the same idempotency key is still running.
    IdempotencyInProgress = "idempotency_in_progress", 409, "The same request is still running";
    /// More bytes, lines or entries than allowed.
    TooLarge = "too_large", 413, "The request is too large";
    /// Path and query of the address are longer than is read.
    UriTooLong = "uri_too_long", 414, "The address is too long";
    /// The headers of a request are more, or more bytes, than are read.
    HeadersTooLarge = "headers_too_large", 431, "The headers are too large";
    /// The request names a host that is not served here.
    Misdirected = "misdirected_request", 421, "This host is not served here";
    /// A line of a bulk write was not tried, since an earlier one failed.
    NotTried = "not_tried", 424, "Not tried because of another line";
    /// An operation must not be done, or not now; `errors` has what was found.
    OperationRefused = "operation_refused", 409, "The operation is refused";
    /// The request, or the next piece of its body, did not come in time.
    RequestTimeout = "request_timeout", 408, "The request came too slowly";
    /// More at once than this process takes; what is refused did nothing.
    Overloaded = "overloaded", 503, "There is too much at once; try again in a moment";
    /// Others held what the command needs for too long; it did nothing.
    Contended = "contended", 503, "Others are at the same things; try again in a moment";
    /// A part that is needed does not answer.
    Unavailable = "unavailable", 503, "Try again in a moment";
    /// The deadline passed.
    Timeout = "timeout", 504, "It took too long";
    /// A defect of souk; the log has the details under the correlation id.
    Internal = "internal", 500, "Something went wrong on our side";
}

/// What went wrong, as a program and as people are told of it: of a [`Code`], or a context's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProblemType {
    /// The stable word; it never changes its meaning.
    pub code: &'static str,
    /// The HTTP status it is sent with.
    pub status: u16,
    /// The same short sentence on each occurrence.
    pub title: &'static str,
}

impl ProblemType {
    /// What is there does not allow the command: status 409.
    #[must_use]
    pub const fn conflict(code: &'static str, title: &'static str) -> Self {
        Self { code, status: 409, title }
    }
}

impl From<Code> for ProblemType {
    fn from(code: Code) -> Self {
        Self { code: code.as_str(), status: code.status(), title: code.title() }
    }
}

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An RFC 9457 problem details object with souk's extension members `code` and `errors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Problem {
    /// A URI reference that names the kind of problem: `/problems/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short sentence, the same on each occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// What happened this time and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The correlation id of the request, for support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The values that are wrong, each with a JSON pointer or parameter name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One wrong value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body (`/variants/0/sku`), or the name of a parameter or header.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
    /// Offset in characters inside the value, where a part of it is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

impl FieldError {
    /// A wrong value at a pointer.
    #[must_use]
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), position: None }
    }
}

impl Problem {
    /// A problem of this code without details.
    #[must_use]
    pub fn new(kind: impl Into<ProblemType>) -> Self {
        let ProblemType { code, status, title } = kind.into();
        Self {
            kind: format!("/problems/{code}"),
            title: title.to_owned(),
            status,
            code: code.to_owned(),
            detail: None,
            instance: None,
            errors: Vec::new(),
        }
    }

    /// With what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With the values that are wrong.
    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }
}
