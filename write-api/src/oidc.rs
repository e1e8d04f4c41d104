//! Signing in through identity providers by OpenID Connect (Core 1.0, with Discovery 1.0): the flow by a code, with PKCE (RFC
//! 7636, S256) and a nonce. Who somebody is says an ID token, and it is believed by the published keys of the provider alone.
//!
//! | path | what is there |
//! |---|---|
//! | [`reach`] | which addresses are asked |
//! | `fetch` | requests with their bounds |
//! | `believe` | what of an ID token is checked |

mod believe;
mod fetch;
pub mod reach;

use believe::{Distrust, algorithms, believe};
use fetch::{Fetch, FetchError};
use moka::future::Cache;
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DiscoveryError,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SubjectIdentifier, TokenResponse,
    core::{
        CoreClient, CoreClientAuthMethod, CoreIdToken, CoreJsonWebKeySet, CoreProviderMetadata, CoreResponseType,
        CoreTokenResponse, CoreUserInfoClaims,
    },
};
use reach::Reach;
use schemas::Timestamp;
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use url::Url;

/// How long what a provider publishes is not asked for again. A key that is not known is asked for at once.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// Providers that are remembered.
const PROVIDERS: u64 = 1_000;
/// How long all requests to a provider for one sign-in may take: less than a request to souk.
const IN_ALL: Duration = Duration::from_secs(8);
/// Sign-ins for which one provider is asked at once: one that is slow keeps nobody from the others.
const PLACES: usize = 16;
/// The longest address of a provider.
const MOST_ISSUER: usize = 500;

/// What a shop has agreed with a provider.
#[derive(Clone)]
pub struct Registration {
    /// The provider's address.
    pub issuer: String,
    /// What the shop is called there.
    pub client_id: String,
    /// What the shop proves that by.
    pub client_secret: String,
    /// What the provider is asked to tell, besides who somebody is.
    pub scopes: Vec<String>,
}

/// The secret stands in no log.
impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What ties what comes back to the request that it answers.
#[derive(Clone)]
pub struct Ties {
    /// Comes back beside the code.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Its digest goes along, and itself follows with the code.
    pub verifier: String,
    /// The page that people come back to.
    pub return_to: Url,
}

impl fmt::Debug for Ties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ties(..)")
    }
}

/// Who somebody is, as a provider says it.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// What the provider calls them, for good.
    pub subject: String,
    /// Their e-mail address, if it is told.
    pub email: Option<String>,
    /// Whether the provider says that it is theirs.
    pub is_email_verified: bool,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// Why a provider does not say who somebody is. Nothing in it is personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The provider is asked for as many as there are places.
    #[error("many are signing in at this moment")]
    Busy,
    /// The provider does not answer, or not as the standard has it.
    #[error("{0}")]
    Unavailable(String),
    /// The provider takes the code for none.
    #[error("the provider does not take the code")]
    CodeRefused,
    /// What it says is not believed.
    #[error("{0}")]
    Distrusted(Distrust),
}

impl From<DiscoveryError<FetchError>> for OidcError {
    fn from(error: DiscoveryError<FetchError>) -> Self {
        Self::Unavailable(match error {
            DiscoveryError::Request(error) => error.to_string(),
            DiscoveryError::Response(status, ..) => {
                format!("it answers {} in another form than is expected", status.as_u16())
            }
            DiscoveryError::Validation(_) => "it says to be another issuer".to_owned(),
            _ => "what it publishes can't be read".to_owned(),
        })
    }
}

/// What the shop is to a provider, by what that publishes.
type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Speaks to providers, and remembers what they publish.
#[derive(Debug, Clone)]
pub struct Providers {
    fetch: Fetch,
    known: Cache<String, Arc<CoreProviderMetadata>>,
    /// By the addresses of providers.
    places: Cache<String, Arc<Semaphore>>,
}

impl Providers {
    /// Speaks to those within this reach.
    ///
    /// # Errors
    /// TLS can't be used.
    pub fn new(reach: Reach) -> Result<Self, reqwest::Error> {
        let known = Cache::builder().max_capacity(PROVIDERS).time_to_live(KEPT).build();
        let places = Cache::builder().max_capacity(PROVIDERS).time_to_idle(KEPT).build();
        Ok(Self { fetch: Fetch::new(reach)?, known, places })
    }

    /// Whether a provider may have this address.
    ///
    /// # Errors
    /// A sentence that says what an address looks like.
    pub fn check_issuer(&self, issuer: &str) -> Result<(), String> {
        let url = Url::parse(issuer).map_err(|_| "an address such as https://login.example is expected".to_owned())?;
        if issuer.len() > MOST_ISSUER || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("an address of at most {MOST_ISSUER} bytes without ? and # is expected"));
        }
        self.fetch.check(&url).map_err(str::to_owned)
    }

    /// Where somebody goes to say who they are.
    ///
    /// # Errors
    /// [`OidcError`]
    pub async fn authorization_url(&self, registration: &Registration, ties: &Ties) -> Result<Url, OidcError> {
        let metadata = self.within(registration, self.metadata(registration)).await?;
        let url = metadata.authorization_endpoint().url();
        self.fetch.check(url).map_err(|reason| OidcError::Unavailable(format!("its page for people: {reason}")))?;
        let client = client(&metadata, registration, ties);
        let (verifier, state, nonce) =
            (PkceCodeVerifier::new(ties.verifier.clone()), ties.state.clone(), ties.nonce.clone());
        let (url, ..) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(registration.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// Who has come back with a code.
    ///
    /// # Errors
    /// [`OidcError`]
    pub async fn identity(
        &self,
        registration: &Registration,
        ties: &Ties,
        code: &str,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        self.within(registration, self.ask(registration, ties, code, now)).await
    }

    async fn ask(
        &self,
        registration: &Registration,
        ties: &Ties,
        code: &str,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        let metadata = self.metadata(registration).await?;
        let client = client(&metadata, registration, ties);
        let tokens = self.exchange(&client, ties, code).await?;
        let id_token = tokens.id_token().ok_or(OidcError::Distrusted(Distrust::NoToken))?;
        let identity = self.read(registration, metadata, id_token, ties, now).await?;
        if identity.email.is_some() {
            return Ok(identity);
        }
        self.with_email(&client, &tokens, identity).await
    }

    /// Tokens for a code.
    async fn exchange(&self, client: &Client, ties: &Ties, code: &str) -> Result<CoreTokenResponse, OidcError> {
        let unavailable = |reason: &str| OidcError::Unavailable(reason.to_owned());
        let exchange = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let exchange = exchange.map_err(|_| unavailable("it publishes no endpoint for tokens"))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(ties.verifier.clone()));
        let http = self.http();
        exchange.request_async(&http).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) if said.error().as_ref() == "invalid_grant" => {
                OidcError::CodeRefused
            }
            // Such as a secret that is none any more: the shop's owner has to look, and the log says where.
            RequestTokenError::ServerResponse(said) => {
                OidcError::Unavailable(format!("it gives no tokens: {}", known_word(said.error().as_ref())))
            }
            RequestTokenError::Request(error) => OidcError::Unavailable(error.to_string()),
            // What can't be read may be an ID token of a form that is none.
            RequestTokenError::Parse(..) => unavailable("its answer to the code can't be read"),
            RequestTokenError::Other(_) => unavailable("its answer to the code is empty"),
        })
    }

    /// What an ID token says. If its key is not known, the provider may have another one since it was asked.
    async fn read(
        &self,
        registration: &Registration,
        metadata: Arc<CoreProviderMetadata>,
        id_token: &CoreIdToken,
        ties: &Ties,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        let nonce = Nonce::new(ties.nonce.clone());
        match believe(&metadata, &registration.client_id, id_token, &nonce, now) {
            Err(Distrust::UnknownKey) => {}
            done => return done.map_err(OidcError::Distrusted),
        }
        let http = self.http();
        let keys = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &http).await?;
        let metadata = Arc::new(metadata.as_ref().clone().set_jwks(keys));
        self.known.insert(registration.issuer.clone(), Arc::clone(&metadata)).await;
        believe(&metadata, &registration.client_id, id_token, &nonce, now).map_err(OidcError::Distrusted)
    }

    /// The same with what the provider tells of the address elsewhere (Core 1.0, 5.4), if it does.
    async fn with_email(
        &self,
        client: &Client,
        tokens: &CoreTokenResponse,
        identity: Identity,
    ) -> Result<Identity, OidcError> {
        let subject = SubjectIdentifier::new(identity.subject.clone());
        let Ok(ask) = client.user_info(tokens.access_token().clone(), Some(subject)) else { return Ok(identity) };
        let http = self.http();
        let told: CoreUserInfoClaims = ask
            .require_signed_response(false)
            .request_async(&http)
            .await
            .map_err(|_| OidcError::Unavailable("what it tells of the person can't be read".to_owned()))?;
        let email = told.email().map(|email| email.as_str().to_owned());
        Ok(Identity { email, is_email_verified: told.email_verified().unwrap_or(false), ..identity })
    }

    /// What a provider publishes of itself.
    async fn metadata(&self, registration: &Registration) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        if let Some(known) = self.known.get(&registration.issuer).await {
            return Ok(known);
        }
        let issuer = IssuerUrl::new(registration.issuer.clone());
        let issuer = issuer.map_err(|_| OidcError::Unavailable("its address can't be read".to_owned()))?;
        let http = self.http();
        let found = CoreProviderMetadata::discover_async(issuer, &http).await?;
        if algorithms(&found).next().is_none() {
            return Err(OidcError::Unavailable("it signs in no way that is believed here".to_owned()));
        }
        let found = Arc::new(found);
        self.known.insert(registration.issuer.clone(), Arc::clone(&found)).await;
        Ok(found)
    }

    /// How the library asks.
    fn http(
        &self,
    ) -> impl Fn(HttpRequest) -> futures::future::BoxFuture<'static, Result<openidconnect::HttpResponse, FetchError>>
    + Send
    + Sync
    + use<> {
        let fetch = self.fetch.clone();
        move |request| Box::pin(fetch.clone().send(request))
    }

    /// Does it if there is a place, and within the time.
    async fn within<T>(
        &self,
        registration: &Registration,
        work: impl Future<Output = Result<T, OidcError>>,
    ) -> Result<T, OidcError> {
        let new = async { Arc::new(Semaphore::new(PLACES)) };
        let places = self.places.get_with(registration.issuer.clone(), new).await;
        let _place = places.try_acquire().map_err(|_| OidcError::Busy)?;
        let done = tokio::time::timeout(IN_ALL, work).await;
        done.unwrap_or_else(|_| Err(OidcError::Unavailable("it does not answer in time".to_owned())))
    }
}

/// What the shop is to a provider.
fn client(metadata: &CoreProviderMetadata, registration: &Registration, ties: &Ties) -> Client {
    let (id, secret) = (registration.client_id.clone(), registration.client_secret.clone());
    // Without a word of it, the secret goes into the header (Discovery 1.0, 3).
    let methods = metadata.token_endpoint_auth_methods_supported();
    let by_body = methods.is_some_and(|methods| {
        methods.contains(&CoreClientAuthMethod::ClientSecretPost)
            && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
    });
    CoreClient::from_provider_metadata(metadata.clone(), ClientId::new(id), Some(ClientSecret::new(secret)))
        .set_redirect_uri(RedirectUrl::from_url(ties.return_to.clone()))
        .set_auth_type(if by_body { AuthType::RequestBody } else { AuthType::BasicAuth })
}

/// A word of the standard (RFC 6749, 5.2); anything else that a provider may write is not repeated.
fn known_word(said: &str) -> &'static str {
    const WORDS: [&str; 5] =
        ["invalid_client", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"];
    WORDS.into_iter().find(|word| *word == said).unwrap_or("for a reason of its own")
}
